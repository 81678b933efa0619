package tail

import (
	"errors"
	"strconv"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/filter"
	"github.com/seed79615202/respush/cmd/respush/internal/pushline"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
	"github.com/seed79615202/respush/parser"
)

// Options say what to listen to, how to print it and when to stop. Prefixes
// need Broadcast, and Broadcast means Track.
type Options struct {
	Channels      []string
	Patterns      []string
	ShardChannels []string
	Track         bool
	Broadcast     bool
	Prefixes      []string
	Filter        filter.Filter
	Format        pushline.Format
	Count         int           // stop after so many pushes that are shown; 0: no limit
	For           time.Duration // stop after so long, from the beginning of the dial on; 0: no limit
	Once          bool          // end when the connection is lost
	ClientName    string        // what the server is to call the connection; may be empty
	TLS           TLS
}

// Validate reports options that contradict each other.
func (o Options) Validate() error {
	switch {
	case len(o.Prefixes) > 0 && !o.Broadcast:
		return errors.New("--prefix needs --bcast: without it a server tracks keys, not prefixes")
	case o.Count < 0:
		return errors.New("--count must not be negative")
	case o.For < 0:
		return errors.New("--for must not be negative")
	case (o.TLS.Cert == "") != (o.TLS.Key == ""):
		return errors.New("--cert and --key need each other")
	default:
		return o.Filter.Validate()
	}
}

// Reconnects reports whether the connection is to be replaced when it is lost.
// The keys that a connection has read are forgotten with it, so tracking those
// is for one connection.
func (o Options) Reconnects() bool { return !o.Once && (o.Broadcast || !o.Track) }

// Listens says whether o asks the server for any pushes at all.
func (o Options) Listens() bool {
	return o.Track || o.Broadcast || len(o.Channels)+len(o.Patterns)+len(o.ShardChannels) > 0
}

// A request is a command of the set-up and what answers it: a push of the name
// confirm, or a reply when confirm is empty.
type request struct {
	args     []string
	confirm  string
	optional bool               // a refusal is no failure
	take     func(parser.Value) // gets the reply, borrowed; may be nil
}

// hello returns the request that turns to RESP3, logging in as t says, under a
// name unless that is empty.
func hello(t target.Target, name string) request {
	args := []string{"HELLO", "3"}
	if t.Password != "" {
		args = append(args, "AUTH", t.User, t.Password)
	}
	if name != "" {
		args = append(args, "SETNAME", name)
	}
	return request{args: args}
}

// requests returns what follows HELLO. Every channel has a request of its own,
// for a refusal to name it.
func (o Options) requests(db int) []request {
	var out []request
	if db != 0 {
		out = append(out, request{args: []string{"SELECT", strconv.Itoa(db)}})
	}
	if o.Track || o.Broadcast {
		out = append(out, o.tracking())
	}
	for _, kind := range []struct {
		command, confirm string
		names            []string
	}{
		{"SUBSCRIBE", "subscribe", o.Channels},
		{"PSUBSCRIBE", "psubscribe", o.Patterns},
		{"SSUBSCRIBE", "ssubscribe", o.ShardChannels},
	} {
		for _, name := range kind.names {
			out = append(out, request{args: []string{kind.command, name}, confirm: kind.confirm})
		}
	}
	return out
}

func (o Options) tracking() request {
	args := []string{"CLIENT", "TRACKING", "ON"}
	if o.Broadcast {
		args = append(args, "BCAST")
	}
	for _, prefix := range o.Prefixes {
		args = append(args, "PREFIX", prefix)
	}
	return request{args: args}
}
