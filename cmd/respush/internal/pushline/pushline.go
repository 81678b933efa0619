// Package pushline formats a push that has just arrived as one line, for people
// or for programs.
package pushline

import (
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/textline"
	"github.com/seed79615202/respush/parser"
)

// A Format selects the form of lines. The zero value is text in local time.
type Format struct {
	JSON  bool // one JSON object a line; Style applies to text only
	UTC   bool
	Nodes bool // peers are nodes of a cluster, not clients
	Style textline.Style
}

// Flags adds the flags of f to a set.
func (f *Format) Flags(flags *pflag.FlagSet) {
	flags.BoolVar(&f.JSON, "json", false, "print one JSON object a line")
	flags.BoolVar(&f.Style.Date, "date", false, "print the date and the zone with the time, as JSON always has them")
	flags.BoolVar(&f.UTC, "utc", false, "print times in UTC")
}

// For returns f, adapted to out.
func (f Format) For(out io.Writer) Format {
	f.Style = f.Style.For(out)
	return f
}

// Append appends push to dst as a line: the time, the peer that it flows to or
// comes from unless peer is empty, and the push in words. It retains nothing of
// the push.
func (f Format) Append(dst []byte, peer string, push parser.Frame) []byte {
	at := f.zoned(time.Now())
	if !f.JSON {
		return f.Style.Append(dst, at, peer, push)
	}
	role := "client"
	if f.Nodes {
		role = "node"
	}
	return jsonline.Push(dst, at, jsonline.Peer{Role: role, Addr: peer}, push)
}

// AppendGap appends a line about a gap to dst: the time, what it is a gap of, the
// moment from which on pushes may be missing, and why.
func (f Format) AppendGap(dst []byte, of jsonline.Part, since time.Time, cause string) []byte {
	at, since := f.zoned(time.Now()), f.zoned(since)
	if f.JSON {
		return jsonline.Gap(dst, at, of, since, cause)
	}
	return f.Style.AppendGap(dst, at, f.node(of), of.Part, since, cause)
}

// AppendArmed appends a line about the end of a gap to dst: the time, what it was
// a gap of, the moment from which on pushes may be missing, and how long that
// lasted.
func (f Format) AppendArmed(dst []byte, of jsonline.Part, since time.Time, lasted time.Duration) []byte {
	at, since := f.zoned(time.Now()), f.zoned(since)
	if f.JSON {
		return jsonline.Armed(dst, at, of, since, lasted)
	}
	return f.Style.AppendArmed(dst, at, f.node(of), of.Part, since, lasted)
}

// node returns what stands in the column of nodes.
func (f Format) node(of jsonline.Part) string {
	if f.Nodes && of.Node == "" {
		return "(cluster)"
	}
	return of.Node
}

// zoned returns at in the zone in which it is printed.
func (f Format) zoned(at time.Time) time.Time {
	if f.UTC {
		return at.UTC()
	}
	return at
}
