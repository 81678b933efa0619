package notify

import (
	"github.com/seed79615202/respush/parser"
)

// RedirectChannel is the channel on which a RESP2 connection receives the
// invalidations that another connection has redirected to it. RESP2 has no
// pushes, so the server sends arrays. A proxy or a client may turn these into
// message pushes. See [Message.Invalidation].
const RedirectChannel = "__redis__:invalidate"

// Message is a message, pmessage or smessage push: a message that was
// published. It is borrowed from the frame it was parsed from.
//
// Invariant: Pattern is nil unless Kind is NamePMessage.
type Message struct {
	Kind    Name         // NameMessage, NamePMessage or NameSMessage
	Pattern []byte       // the pattern that matched the channel of a pmessage
	Channel []byte       // the channel, a sharded one for an smessage
	Payload parser.Value // of any type, nearly always a string; see Payload.Bytes
}

// ParseMessage parses a message, pmessage or smessage push. The elements after
// the name are the pattern, for pmessage only, the channel and the payload.
// Pattern and channel are strings, and the payload may be of any type.
// ParseMessage returns a [*ShapeError] for any other frame, and allocates only
// for that.
func ParseMessage(push parser.Frame) (Message, error) {
	if channel, payload, ok := readMessage(push); ok {
		return Message{NameMessage, nil, channel, payload}, nil
	}
	return parseMessage(push)
}

// readMessage returns the elements of a message push after the name, if push is
// one whose channel is a string. They fit in registers, which a Message does
// not (BenchmarkHandlerNotify/frame=F3).
func readMessage(push parser.Frame) (channel []byte, payload parser.Value, ok bool) {
	name, e := push.Split()
	if string(name) != NameMessage || e.Len() != 2 {
		return nil, parser.Value{}, false
	}
	if channel, e, ok = e.NextText(); ok {
		payload, _, _ = e.Next()
	}
	return channel, payload, ok
}

// parseMessage is the general path of ParseMessage, for every frame.
func parseMessage(push parser.Frame) (Message, error) {
	var m Message
	switch string(push.Name()) {
	case NameMessage:
		m.Kind = NameMessage
	case NamePMessage:
		m.Kind = NamePMessage
	case NameSMessage:
		m.Kind = NameSMessage
	default:
		return Message{}, errFamily(push, FamilyMessage)
	}
	d := decoder{family: FamilyMessage, push: m.Kind}
	at := 1
	if m.Kind == NamePMessage {
		d.read(push, 4, 4)
		m.Pattern = d.text(1)
		at = 2
	} else {
		d.read(push, 3, 3)
	}
	m.Channel = d.text(at)
	m.Payload = d.arguments[at]
	if d.err != nil {
		return Message{}, d.err
	}
	return m, nil
}

// Invalidation returns the invalidation that m carries. ok is false unless m is
// a message on [RedirectChannel] whose payload is a list of keys or a null. The
// Invalidation is borrowed like m.
func (m Message) Invalidation() (i Invalidation, ok bool) {
	if m.Kind != NameMessage || string(m.Channel) != RedirectChannel {
		return Invalidation{}, false
	}
	keys, ok := m.Payload.Strings()
	return Invalidation{keys}, ok
}

// String returns a description of the message on one line. A long payload is
// cut.
func (m Message) String() string { return string(m.appendLine(nil)) }

func (m Message) appendLine(dst []byte) []byte {
	dst = appendName(dst, m.Kind)
	switch m.Kind {
	case NamePMessage:
		dst = append(dst, gap+"pattern "...)
		dst = appendWord(dst, m.Pattern)
		dst = append(dst, " channel "...)
	case NameSMessage:
		dst = append(dst, gap+"shard channel "...)
	default:
		dst = append(dst, gap+"channel "...)
	}
	dst = appendWord(dst, m.Channel)
	if i, ok := m.Invalidation(); ok {
		return i.appendWords(dst)
	}
	dst = append(dst, gap...)
	if isText(m.Payload) {
		return appendText(dst, m.Payload.Bytes())
	}
	return appendValue(dst, m.Payload, 0)
}
