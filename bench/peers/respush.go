package peers

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// respush reads with its own buffer, and its handlers read the elements through
// package notify.
var respush = Peer{
	Name: "respush",
	Open: func(sc Scene) (*Run, error) { return openRespush(sc, ownBuffer, handleTyped) },
}

// respushBufio works in a client's buffer.
var respushBufio = Peer{
	Name: "respush-bufio",
	Note: "in a bufio.Reader that it shares with a client",
	Open: func(sc Scene) (*Run, error) { return openRespush(sc, clientBuffer(), handleTyped) },
}

// respushDecoded has the same handlers as go-redis.
var respushDecoded = Peer{
	Name: "respush-decoded",
	Note: "with go-redis style handlers, which own the decoded elements",
	Open: func(sc Scene) (*Run, error) { return openRespush(sc, ownBuffer, handleDecoded) },
}

// respushCounts has handlers that only count.
var respushCounts = Peer{
	Name:   "respush-counts",
	Counts: true,
	Note:   "its handlers only count and read no element",
	Open:   func(sc Scene) (*Run, error) { return openRespush(sc, ownBuffer, handleCounting) },
}

func ownBuffer(s *workload.Stream) io.Reader { return s }

// clientBuffer returns a function that buffers a stream as a client does.
func clientBuffer() func(s *workload.Stream) io.Reader {
	br := bufio.NewReaderSize(nil, Reads)
	return func(s *workload.Stream) io.Reader {
		br.Reset(s)
		return br
	}
}

func openRespush(sc Scene, source func(*workload.Stream) io.Reader, handle func(*dispatch.Processor, *Tally) error) (*Run, error) {
	tally := new(Tally)
	p := dispatch.NewProcessor(dispatch.WithPubSub())
	if err := handle(p, tally); err != nil {
		return nil, err
	}
	rd := parser.NewReader(nil, parser.WithBufferSize(Reads))
	ctx := context.Background()
	return newRun(sc, tally, func(s *workload.Stream) error {
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

// from is the handler context of package dispatch.
type from = dispatch.NotificationHandlerContext

// handleTyped registers handlers that take typed views.
func handleTyped(p *dispatch.Processor, tally *Tally) error {
	handlers := [len(Names)]dispatch.HandlerFunc{
		notify.OnInvalidate(func(_ context.Context, _ from, i notify.Invalidation) error {
			n := 0
			for key := range i.Keys() {
				n += len(key)
			}
			tally.add(0, n)
			return nil
		}),
		notify.OnMessage(func(_ context.Context, _ from, m notify.Message) error {
			tally.add(1, len(m.Channel)+len(m.Payload.Bytes()))
			return nil
		}),
		notify.OnMoving(func(_ context.Context, _ from, m notify.Moving) error {
			n := int(m.Seq) + int(m.After/time.Second) + len(m.Endpoint.Host)
			if m.Endpoint.Port == 6379 {
				n += len(":6379") // counts the port, which the other peers get as text
			}
			tally.add(2, n)
			return nil
		}),
	}
	for i, name := range Names {
		if err := p.HandleFunc(name, handlers[i]); err != nil {
			return err
		}
	}
	return nil
}

// handleDecoded registers go-redis style handlers.
func handleDecoded(p *dispatch.Processor, tally *Tally) error {
	for i, name := range Names {
		if err := p.RegisterHandler(name, &decodedHandler[from]{tally, i}, false); err != nil {
			return err
		}
	}
	return nil
}

// handleCounting registers handlers that only count.
func handleCounting(p *dispatch.Processor, tally *Tally) error {
	for i, name := range Names {
		err := p.HandleFunc(name, func(context.Context, from, parser.Frame) error {
			tally.add(i, 0)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
