// Package jsonline writes a frame, or what happens to a connection, as one line
// of JSON.
//
//	{"time":"2024-05-04T10:20:30.123456789Z","name":"invalidate","bytes":46,"args":[["user:1"]]}
//	{"time":"2024-05-04T10:20:35.123456789Z","event":"gap","since":"2024-05-04T10:20:30.5Z","cause":"the server closed the connection"}
//	{"time":"2024-05-04T10:20:36.123456789Z","event":"armed","node":"10.0.0.1:6379","slots":[[0,5460]],"since":"2024-05-04T10:20:30.5Z","seconds":5.623}
//	{"file":"dump.resp","offset":46,"bytes":5,"type":"simple string","value":"OK"}
//
// docs/jsonlines.md describes the lines, and docs/jsonlines.schema.json is their
// schema. Texts are JSON strings, and {"base64":"..."} when they are not UTF-8. Errors
// are {"error":text}, maps {"map":[[key,value],...]}, integers, big numbers and
// doubles are numbers; a double that JSON has no number for is the string inf,
// -inf or nan. Arrays, sets and inner pushes are arrays. A push without a name
// has the name null and all of its elements in args. A number or boolean whose
// text is none is the string of that text. Attributes before the frame
// are in "attributes", as [[key,value],...]; those of inner values are left out.
//
// All functions append to dst and return it, and keep nothing of a frame.
package jsonline

import (
	"strconv"
	"time"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

// A Peer is who a push flows to or comes from. The zero Peer is not shown.
type Peer struct {
	Role string // client or node, the name of its field
	Addr string
}

// A Part is the part of a cluster that an event is about. The zero Part is that
// of a server that is alone, and is not shown.
type Part struct {
	Node string // the address of its primary; empty if there is none
	feed.Part
}

// A Place says where in a capture a frame is.
type Place struct {
	File   string // "-" for standard input
	Offset int64  // of its first byte
	Inside int64  // where the frame begins that holds it; -1 for one that stands by itself
}

// Push appends push as a line, its line end included: when it came, and who it
// flows to or comes from.
func Push(dst []byte, at time.Time, peer Peer, push parser.Frame) []byte {
	dst = appendTime(append(dst, '{'), "time", at)
	dst = peer.append(dst)
	dst = appendName(dst, push)
	dst = appendSize(dst, int64(len(push.Raw())))
	dst = appendArgs(dst, push)
	return end(dst, push)
}

// Gap appends a line about a gap, its line end included: when it was noticed, of
// what part, the moment from which on pushes may be missing, and why.
func Gap(dst []byte, at time.Time, of Part, since time.Time, cause string) []byte {
	dst = appendEvent(dst, at, "gap", of, since)
	dst = Text(append(dst, `,"cause":`...), []byte(cause))
	return append(dst, "}\n"...)
}

// Armed appends a line about the end of a gap, its line end included: when that
// was, of what part, the moment from which on pushes may be missing, and how long
// it lasted.
func Armed(dst []byte, at time.Time, of Part, since time.Time, lasted time.Duration) []byte {
	dst = appendEvent(dst, at, "armed", of, since)
	dst = strconv.AppendFloat(append(dst, `,"seconds":`...), lasted.Seconds(), 'f', 3, 64)
	return append(dst, "}\n"...)
}

// append appends the field of a Peer.
func (p Peer) append(dst []byte) []byte {
	if p.Addr == "" {
		return dst
	}
	return Text(append(append(append(dst, `,"`...), p.Role...), `":`...), []byte(p.Addr))
}

// append appends the fields of a Part.
func (p Part) append(dst []byte) []byte {
	if len(p.Slots) == 0 && !p.Channels {
		return dst
	}
	dst = append(Peer{"node", p.Node}.append(dst), `,"slots":[`...)
	for i, r := range p.Slots {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, '['), int64(r.First), 10)
		dst = append(strconv.AppendInt(append(dst, ','), int64(r.Last), 10), ']')
	}
	dst = append(dst, ']')
	if p.Channels {
		dst = append(dst, `,"channels":true`...)
	}
	return dst
}

// appendEvent appends the beginning of a line about a connection.
func appendEvent(dst []byte, at time.Time, event string, of Part, since time.Time) []byte {
	dst = appendTime(append(dst, '{'), "time", at)
	dst = of.append(Text(append(dst, `,"event":`...), []byte(event)))
	return appendTime(append(dst, ','), "since", since)
}

// appendTime appends a field that is a time.
func appendTime(dst []byte, name string, at time.Time) []byte {
	dst = append(append(append(dst, '"'), name...), `":"`...)
	return append(at.AppendFormat(dst, time.RFC3339Nano), '"')
}

// Captured appends a frame of a capture as a line, its line end included.
func Captured(dst []byte, place Place, frame parser.Frame) []byte {
	dst = place.append(dst, int64(len(frame.Raw())), frame.Type())
	if frame.IsPush() {
		dst = appendName(dst, frame)
		dst = appendArgs(dst, frame)
	} else {
		dst = appendValue(append(dst, `,"value":`...), frame.Value())
	}
	return end(dst, frame)
}

// Oversize appends a line about a frame of a capture that is too large, or too
// deep, to be shown, its line end included: its size in bytes, its type, the
// name of a push if that is known, and "oversize":true instead of what it
// holds.
func Oversize(dst []byte, place Place, size int64, typ parser.Type, name []byte) []byte {
	dst = place.append(dst, size, typ)
	if name != nil {
		dst = Text(append(dst, `,"name":`...), name)
	}
	return append(dst, `,"oversize":true}`+"\n"...)
}

// append appends the beginning of a line about a frame.
func (p Place) append(dst []byte, size int64, typ parser.Type) []byte {
	dst = Text(append(dst, `{"file":`...), []byte(p.File))
	dst = strconv.AppendInt(append(dst, `,"offset":`...), p.Offset, 10)
	if p.Inside >= 0 {
		dst = strconv.AppendInt(append(dst, `,"inside":`...), p.Inside, 10)
	}
	dst = appendSize(dst, size)
	return Text(append(dst, `,"type":`...), []byte(typ.String()))
}

func appendSize(dst []byte, size int64) []byte {
	return strconv.AppendInt(append(dst, `,"bytes":`...), size, 10)
}

func appendName(dst []byte, push parser.Frame) []byte {
	dst = append(dst, `,"name":`...)
	if name := push.Name(); name != nil {
		return Text(dst, name)
	}
	return append(dst, "null"...)
}

// appendArgs appends the elements of a push behind its name, all of them when
// it has none.
func appendArgs(dst []byte, push parser.Frame) []byte {
	elements := push.Value().All()
	if push.Name() != nil {
		elements = push.Args()
	}
	return appendList(append(dst, `,"args":`...), elements)
}

// end appends the attributes of frame, if any, and the end of the line.
func end(dst []byte, frame parser.Frame) []byte {
	if attributes := frame.Attributes(); attributes.Len() > 0 {
		dst = appendPairs(append(dst, `,"attributes":`...), attributes)
	}
	return append(dst, "}\n"...)
}
