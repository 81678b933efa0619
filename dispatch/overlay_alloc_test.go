//go:build !respushdebug

package dispatch_test

import (
	"context"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

func TestNothingIsAllocatedPerPushOfAnOverlay(t *testing.T) {
	p, n := dispatch.NewProcessor(), 0
	handle(t, p, "a", func(parser.Frame) error { n++; return nil })
	o := p.Overlay()
	require.NoError(t, o.RegisterHandler("b", new(notified), false))
	wire := []byte(push("a", "1") + push("c", "2") + push("a", "3"))
	s := &repeated{wire: wire}
	rd := parser.NewReader(s)
	require.Zero(t, allocs.PerRun(100, func() {
		s.at = 0
		if err := rd.Driver().Fill(); err != nil {
			t.Fatal(err)
		}
		if taken, err := o.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd); taken != 3 || err != nil {
			t.Fatal(taken, err)
		}
	}))
	require.Equal(t, 2*101, n)

	f, _, err := parser.Parse([]byte(push("a", "1")))
	require.NoError(t, err)
	var handlerCtx dispatch.NotificationHandlerContext
	require.Zero(t, allocs.PerRun(100, func() { o.Deliver(context.Background(), &handlerCtx, f.Name(), f) }))
}

// repeated is a stream that begins again when at is set to 0.
type repeated struct {
	wire []byte
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	n := copy(b, r.wire[r.at:])
	r.at += n
	return n, nil
}
