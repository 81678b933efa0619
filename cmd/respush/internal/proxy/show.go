package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/pushline"
	"github.com/seed79615202/respush/cmd/respush/internal/tally"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// maxWaiting is the number of bytes of lines that may wait for a slow output.
// Clients do not wait for it.
const maxWaiting = 8 << 20

// maxLine is the number of bytes of memory for lines that a link retains. One
// large push is no reason to retain more for as long as the client stays.
const maxLine = 1 << 20

// A show prints and counts the pushes of all links.
type show struct {
	format pushline.Format
	lines  *output.Spool
	record *output.Spool // of pushes as they are on the wire; nil if they are not recorded
	since  time.Time

	mu       sync.Mutex
	tally    tally.Tally
	oversize uint64 // pushes that were too large to be shown
}

// newShow returns a show on the outputs of p. It calls cancel when one of them
// fails.
func newShow(p Proxy, cancel context.CancelCauseFunc) *show {
	s := &show{format: p.Format, lines: output.NewSpool(p.Stdout, maxWaiting, cancel), since: time.Now()}
	if p.Record != nil {
		// The error says which output failed.
		s.record = output.NewSpool(p.Record, maxWaiting, func(err error) { cancel(errors.Unwrap(err)) })
	}
	return s
}

// handler returns a handler that shows the pushes that flow to the client
// called name. One goroutine at a time may call it.
func (s *show) handler(name string) dispatch.Handler {
	var line []byte // reused from push to push
	return dispatch.HandlerFunc(func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		line = s.format.Append(line[:0], name, push)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines.Write(line)
		if s.record != nil {
			s.record.Write(push.Raw())
		}
		if cap(line) > maxLine {
			line = nil
		}
		s.tally.AddFrame(push)
		return nil
	})
}

// missed counts n pushes that were too large to be shown.
func (s *show) missed(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oversize += n
}

// close waits until everything has been printed and recorded.
func (s *show) close() error {
	err := s.lines.Close()
	if s.record != nil {
		err = cmp.Or(err, errors.Unwrap(s.record.Close()))
	}
	return err
}

// summarise writes the totals to out.
func (s *show) summarise(out io.Writer, clients int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(out, "--- %s, %s\n", tally.CountOf(clients, "client", "clients"), s.tally.Rate(time.Since(s.since)))
	table := tally.NewTable(out)
	table.Tally(&s.tally)
	if dropped := s.lines.Dropped(); dropped > 0 {
		table.Count(dropped, "not shown, the output was too slow")
	}
	if s.record != nil && s.record.Dropped() > 0 {
		table.Count(s.record.Dropped(), "not recorded, the file was too slow")
	}
	if s.oversize > 0 {
		table.Count(s.oversize, "too large, not shown")
	}
	_ = table.Flush() // nobody reads it in that case
}
