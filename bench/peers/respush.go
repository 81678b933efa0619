package peers

import (
	"bufio"
	"context"
	"io"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// respush reads with a buffer of its own.
var respush = Peer{
	Name: "respush",
	Open: func(w workload.Workload) (*Run, error) {
		return openRespush(w, func(s *workload.Stream) io.Reader { return s })
	},
}

// respushBufio works in the buffer of a client.
var respushBufio = Peer{
	Name: "respush-bufio",
	Note: "respush in a bufio.Reader that it shares with a client",
	Open: func(w workload.Workload) (*Run, error) {
		br := bufio.NewReaderSize(nil, Reads)
		return openRespush(w, func(s *workload.Stream) io.Reader {
			br.Reset(s)
			return br
		})
	},
}

func openRespush(w workload.Workload, source func(*workload.Stream) io.Reader) (*Run, error) {
	tally := new(Tally)
	p, err := newProcessor(tally, dispatch.WithPubSub())
	if err != nil {
		return nil, err
	}
	rd := parser.NewReader(nil, parser.WithBufferSize(Reads))
	ctx := context.Background()
	return newRun(w, tally, func(s *workload.Stream) error {
		rd.Reset(source(s))
		for {
			if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, rd); err != nil {
				return err
			}
			if _, err := rd.Next(); err == io.EOF { // a reply, or the end
				return nil
			} else if err != nil {
				return err
			}
		}
	}), nil
}

// newProcessor returns a processor whose handlers count.
func newProcessor(tally *Tally, opts ...dispatch.Option) (*dispatch.Processor, error) {
	p := dispatch.NewProcessor(opts...)
	for i, name := range Names {
		err := p.HandleFunc(name, func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			tally[i]++
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}
