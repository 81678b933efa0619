package bench_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// idles are the variants of workload N0, in which no push is waiting.
var idles = []struct {
	name string
	make func(tb testing.TB) *idle
}{
	{"frame=N0", func(tb testing.TB) *idle { return newIdle(tb, reply(), dispatch.WithPubSub()) }},
	{"frame=N0/mode=default", func(tb testing.TB) *idle { return newIdle(tb, reply()) }},
	{"frame=N0/mode=default/source=bufio", func(tb testing.TB) *idle { return newIdle(tb, bufio.NewReader(reply())) }},
}

// idle is workload N0: a connection on which a reply comes next, and no push.
type idle struct {
	p   *dispatch.Processor
	rd  *parser.Reader
	ctx context.Context
}

// newIdle returns an idle whose Reader reads the reply from rd. If rd is a
// Source, the Reader works in the buffer of rd.
func newIdle(tb testing.TB, rd io.Reader, opts ...dispatch.Option) *idle {
	n := &idle{dispatch.NewProcessor(opts...), parser.NewReader(rd), context.Background()}
	if err := n.rd.Driver().Fill(); err != nil || n.rd.Driver().MayHavePush() {
		tb.Fatal("no reply is next: ", err)
	}
	return n
}

// process does what a client does before it reads the reply.
func (n *idle) process() error {
	return n.p.ProcessPendingNotifications(n.ctx, dispatch.NotificationHandlerContext{}, n.rd)
}

// reply returns a stream of one reply.
func reply() io.Reader { return strings.NewReader("+OK\r\n") }
