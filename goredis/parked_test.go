package goredis_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/goredis"
)

const largePush = ">2\r\n$10\r\ninvalidate\r\n*1\r\n"

// poolConn is as much of go-redis' connection as the package looks at.
type poolConn struct{ conn net.Conn }

func (c *poolConn) GetNetConn() net.Conn { return c.conn }

// readConn is a connection that is only read.
type readConn struct {
	net.Conn
	from io.Reader
}

func (c *readConn) Read(b []byte) (int, error) { return c.from.Read(b) }

func TestAReaderThatGoesToAnotherConnectionBeginsAnew(t *testing.T) {
	var j journal
	large := largePush + bulk(600)
	p := j.processor()
	l := newLink(t, p, 128, arriving(large[:400], errTimeout))
	conn := &poolConn{new(memoryConn)}
	handlerCtx := push.NotificationHandlerContext{Conn: conn}
	require.Equal(t, errTimeout, l.call(context.Background(), handlerCtx))
	require.Equal(t, 1, p.Unfinished())

	conn.conn = new(memoryConn) // as after a MOVING
	l.rd.Reset(arriving(flush + "+OK\r\n"))
	require.NoError(t, l.call(context.Background(), handlerCtx))
	reply, err := l.rd.ReadReply()
	require.NoError(t, err)
	require.Equal(t, "OK", reply)
	require.Equal(t, []string{pushIn(t, flush)}, j.entries)
	require.Zero(t, p.Unfinished())
}

// What is kept for one reader costs the others nothing but a look.
func TestOtherReadersGoOnWhileOneIsParked(t *testing.T) {
	var j journal
	p := j.processor()
	large := largePush + bulk(600)
	a := arriving(large[:400], errTimeout, large[400:]+"+OK\r\n")
	parked := newLink(t, p, 128, a)
	require.Equal(t, errTimeout, parked.process())
	other := newLink(t, p, 128, arriving("+A\r\n"+flush+"+B\r\n"))
	j.read(t, other, 2)
	a.goOn()
	j.read(t, parked, 1)
	require.Equal(t, []string{"reply A", pushIn(t, flush), "reply B", pushIn(t, large), "reply OK"}, j.entries)
	require.Zero(t, p.Unfinished())
}

// go-redis drops a connection that has timed out inside a large push, and tells nobody.
func TestChurnLeavesNothingBehind(t *testing.T) {
	var j journal
	p := j.processor()
	large := largePush + bulk(600)
	readers := newReaders(t)
	var rd goRedisReader
	for range 10_000 {
		rd = readers(arriving(large[:400], errTimeout))
		require.Equal(t, errTimeout, p.Process(rd))
	}
	require.NotZero(t, p.Unfinished())
	runtime.KeepAlive(rd) // until here, and no longer
	deadline := time.Now().Add(patience)
	for p.Unfinished() > 0 {
		require.Less(t, time.Now(), deadline, "%d of 10000 are kept", p.Unfinished())
		runtime.GC()
		runtime.Gosched()
	}
	require.Empty(t, j.entries)
	require.True(t, p.Idle())
}

// A handler that ends its goroutine, as FailNow of a test does, has had its push.
func TestAHandlerThatEndsItsGoroutine(t *testing.T) {
	var j journal
	p := goredis.NewProcessor(nil)
	require.NoError(t, p.RegisterHandler("invalidate", handlerFunc(func([]any) error {
		j.add("called")
		runtime.Goexit()
		return nil
	}), false))
	l := newLink(t, p, 128, arriving(flush+"+OK\r\n"))
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		_ = l.process()
	}()
	wg.Wait()
	j.read(t, l, 1)
	require.Equal(t, []string{"called", "reply OK"}, j.entries)
}
