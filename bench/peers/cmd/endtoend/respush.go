//go:build linux

package main

import (
	"context"
	"fmt"
	"net"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// from is the handler context of package dispatch.
type from = dispatch.NotificationHandlerContext

// handlers registers handlers that give the texts of pushes of all kinds to r.
type handlers func(p *dispatch.Processor, r *recorder) error

// useRespush returns a client that serves a connection with the registered
// handlers.
func useRespush(register handlers) client {
	return func(j job, dial func(string) (net.Conn, error), r *recorder) error {
		rd, err := dialReader(j, dial)
		if err != nil {
			return err
		}
		p := dispatch.NewProcessor(dispatch.WithPubSub())
		if err := register(p, r); err != nil {
			return err
		}
		go func() {
			fail(fmt.Errorf("respush ended: %v", p.Serve(context.Background(), from{}, rd, nil)))
		}()
		return nil
	}
}

// dialReader connects, asks for pushes, and returns a Reader of the connection.
func dialReader(j job, dial func(string) (net.Conn, error)) (*parser.Reader, error) {
	conn, err := dial(j.Addr)
	if err != nil {
		return nil, err
	}
	rd := parser.NewReader(conn, parser.WithBufferSize(readBuffer))
	return rd, greet(j, conn, rd)
}

// register registers a handler for each kind of push.
func register(p *dispatch.Processor, message, invalidate dispatch.HandlerFunc) error {
	if err := p.HandleFunc(messages, message); err != nil {
		return err
	}
	return p.HandleFunc(invalidations, invalidate)
}

// readViews registers handlers that read through package notify.
func readViews(p *dispatch.Processor, r *recorder) error {
	return register(p,
		notify.OnMessage(func(_ context.Context, _ from, m notify.Message) error {
			record(r, m.Payload.Bytes())
			return nil
		}),
		notify.OnInvalidate(func(_ context.Context, _ from, i notify.Invalidation) error {
			for key := range i.Keys() {
				record(r, key)
			}
			return nil
		}))
}

// readValues registers handlers that read with package parser alone.
func readValues(p *dispatch.Processor, r *recorder) error {
	return register(p,
		func(_ context.Context, _ from, push parser.Frame) error {
			i := 0
			for v := range push.Args() {
				if i == 1 {
					record(r, v.Bytes())
				}
				i++
			}
			return nil
		},
		func(_ context.Context, _ from, push parser.Frame) error {
			for keys := range push.Args() {
				for key := range keys.All() {
					record(r, key.Bytes())
				}
			}
			return nil
		})
}

// countTail registers handlers that read only the text at the end of the push
// and the number of keys.
func countTail(p *dispatch.Processor, r *recorder) error {
	return register(p,
		func(_ context.Context, _ from, push parser.Frame) error {
			recordTail(r, push, messageSize)
			return nil
		},
		func(_ context.Context, _ from, push parser.Frame) error {
			recordTail(r, push, keySize)
			return nil
		})
}

// recordTail records the last text of a push, and counts those before it.
func recordTail(r *recorder, push parser.Frame, size int) {
	raw := push.Raw()
	if size == keySize {
		for keys := range push.Args() {
			r.pushes += keys.Len() - 1
		}
	}
	record(r, raw[len(raw)-2-size:len(raw)-2])
}

// onlyScan is a client that finds pushes with package parser and has no
// processor.
func onlyScan(j job, dial func(string) (net.Conn, error), r *recorder) error {
	rd, err := dialReader(j, dial)
	if err != nil {
		return err
	}
	size := textSize(j.Kind)
	go func() {
		d := rd.Driver()
		var burst parser.Burst
		for {
			push, _, ok, err := d.NextBuffered(&burst, false)
			if ok {
				recordTail(r, push, size)
			} else if err == parser.ErrIncomplete {
				err = d.Fill()
			}
			if err != nil {
				fail(err)
			}
		}
	}()
	return nil
}
