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

// Options select what to listen to, how to print it and when to stop. Prefixes
// need Broadcast. Broadcast implies Track.
type Options struct {
	Channels      []string
	Patterns      []string
	ShardChannels []string
	Track         bool
	Broadcast     bool
	Prefixes      []string
	Filter        filter.Filter
	Format        pushline.Format
	Count         int           // stop after this number of shown pushes; 0 means no limit
	For           time.Duration // stop after this time, counted from the start of the dial; 0 means no limit
	Once          bool          // end when the connection is lost
	Cluster       bool          // listen to all primaries of the cluster; not with Once, nor with Track alone
	ClientName    string        // the name of the connection in the server; may be empty
	TLS           TLS
}

// Validate returns an error if options contradict each other.
func (o Options) Validate() error {
	switch {
	case len(o.Prefixes) > 0 && !o.Broadcast:
		return errors.New("--prefix needs --bcast: without it a server tracks keys, not prefixes")
	case o.Count < 0:
		return errors.New("--count must not be negative")
	case o.For < 0:
		return errors.New("--for must not be negative")
	case o.Cluster && o.Once:
		return errors.New("--cluster and --once exclude each other: a cluster has many connections, and losing one is no reason to end")
	case o.Cluster && o.Track && !o.Broadcast:
		return errors.New("--cluster needs --bcast with --track: the keys that a connection has read are forgotten with it")
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

// Listens reports whether o asks the server for any pushes.
func (o Options) Listens() bool {
	return o.Track || o.Broadcast || len(o.Channels)+len(o.Patterns)+len(o.ShardChannels) > 0
}

// A request is a command of the set-up and its answer. The answer is a push
// with the name confirm, or a reply if confirm is empty.
type request struct {
	args     []string
	confirm  string
	optional bool               // a refusal is not a failure
	take     func(parser.Value) // receives the borrowed reply; may be nil
}

// hello returns the request that switches to RESP3, logs in to t, and sets the
// name of the connection unless it is empty.
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

// requests returns the requests after HELLO. Every channel has a request of its
// own, so that a refusal names it.
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
