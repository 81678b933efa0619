package feed_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/faults"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// The oracle writes to a server, reads through a near cache as the package
// documentation says, and publishes, while a test breaks what it can. It then
// checks what was served and received against what the server acknowledged:
//
//	A  no value is older than the newest that was acknowledged before its AsOf
//	B  nor than the newest acknowledged Every + Within + slack before it was served
//	C  after quiet, all that is cached equals the server's
//	D  each gap has the next generation, and its flush precedes the pushes of the next connection
//	E  no connection, goroutine or descriptor is left
//	F  every channel lives again
//	G  what was published outside gaps arrives once and in order
const (
	oracleKeys     = 30
	oracleWriters  = 2
	oracleReaders  = 4
	oracleChannels = 3
	slack          = 500 * time.Millisecond // for a busy machine
	giveUp         = time.Second            // of a client of the oracle
)

// setNewer sets a key unless it has a newer version. A write that a client gave
// up may be carried out later.
const setNewer = `local v = redis.call('GET', KEYS[1]) if not v or tonumber(v) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end return 1`

// event is something that happened to version n of a key or to message n.
type event struct {
	n  int
	at time.Time
}

// served is a value that the cache answered with.
type served struct {
	key, version int
	at           time.Time // before Coverage was asked
	asOf         time.Time
}

// published is a message that the server accepted.
type published struct {
	text     string
	sent, at time.Time // when it was sent, and when it was acknowledged
}

// oracle is one run.
type oracle struct {
	t      testing.TB
	server *redistest.Server
	// The proxies before the server: of the Feed, and of those who read.
	push, data *faults.Proxy
	bound      time.Duration // Every + Within
	f          *feed.Feed
	guard      feed.Guard
	queue      *dispatch.Queue // nil if handlers run on the goroutine of Run
	password   atomic.Pointer[string]
	pause      atomic.Int64 // how long the handler of invalidations takes
	faults     []string     // so far
	down       bool         // the server is frozen or has crashed

	stop    chan struct{} // ends the load
	load    sync.WaitGroup
	running sync.WaitGroup

	mu        sync.Mutex
	cache     map[string]int
	acks      [oracleKeys][]event
	served    []served
	hits      int
	loads     int
	kept      int
	published [oracleChannels][]published
	received  [oracleChannels][]event // n is the index in texts
	texts     []string
	gaps      []feed.Gap
	arms      []event // n is the generation
	conn      net.Conn
	flushed   bool // a flush has been handled since the last push of a connection
	problems  []string
	last      error // of an attempt
}

// newOracle starts a server, a Feed and the load.
func newOracle(t testing.TB, probe feed.Probe, queued bool) *oracle {
	t.Helper()
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	o := &oracle{
		t: t, server: s, push: faults.Start(t, s.Addr), data: faults.Start(t, s.Addr),
		bound: probe.Every + probe.Within, stop: make(chan struct{}), cache: make(map[string]int),
	}
	first := "first"
	o.password.Store(&first)
	o.allow()
	o.data.Down().Delay(time.Millisecond)
	p := dispatch.NewProcessor()
	invalidate := dispatch.HandlerFunc(notify.OnInvalidate(o.invalidate))
	if queued {
		o.queue = dispatch.NewQueue(invalidate, dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
		require.NoError(t, p.Handle(notify.NameInvalidate, o.queue))
	} else {
		require.NoError(t, p.Handle(notify.NameInvalidate, invalidate))
	}
	require.NoError(t, p.HandleFunc("message", notify.OnMessage(o.message)))
	o.f = &feed.Feed{
		Addr: o.push.Addr, ClientName: "oracle", Processor: p, Probe: probe,
		Tracking: &feed.Tracking{Prefixes: []string{"o:"}},
		Auth: func(context.Context) (string, string, error) {
			return "feed", *o.password.Load(), nil
		},
		OnGap: func(_ context.Context, g feed.Gap) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.gaps = append(o.gaps, g)
		},
		OnError: func(_ context.Context, err error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.last = err
		},
		OnArmed: func(_ context.Context, c feed.Coverage) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.arms = append(o.arms, event{int(c.Gen), time.Now()})
		},
	}
	if o.queue != nil {
		o.f.Queues = []*dispatch.Queue{o.queue}
	}
	for i := range oracleChannels {
		o.f.Channels = append(o.f.Channels, channelOf(i))
	}
	ctx, end := context.WithCancel(context.Background())
	o.running.Add(1)
	go func() {
		defer o.running.Done()
		if err := o.f.Run(ctx); err != nil && err != context.Canceled {
			o.problem("Run returned %v", err)
		}
	}()
	t.Cleanup(func() {
		end()
		o.running.Wait()
	})
	for i := range oracleWriters {
		o.goLoad(s.Addr, func(c *loadConn) bool { return o.write(c, i) })
	}
	for range oracleReaders {
		o.goLoad(o.data.Addr, func(c *loadConn) bool {
			for range 10 {
				if !o.read(c) {
					return false
				}
			}
			return true
		})
	}
	o.goLoad(s.Addr, o.publish)
	return o
}

// allow makes the user of the Feed, whom a crash forgets.
func (o *oracle) allow() {
	o.server.Dial(o.t).Do("ACL", "SETUSER", "feed", "reset", "on", ">"+*o.password.Load(), "+@all", "~*", "&*")
}

func keyOf(i int) string     { return "o:" + strconv.Itoa(i) }
func channelOf(i int) string { return "c:" + strconv.Itoa(i) }

func (o *oracle) problem(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// invalidate is the handler of invalidations, as a near cache has it.
func (o *oracle) invalidate(_ context.Context, handlerCtx dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	if d := o.pause.Load(); d > 0 {
		time.Sleep(time.Duration(d)) // the fault: a handler that is slow
	}
	o.mu.Lock()
	conn, _ := handlerCtx.Conn.(net.Conn)
	if i.FlushAll() {
		o.flushed = true
	} else if conn != o.conn {
		if !o.flushed {
			o.problems = append(o.problems, "D: a push of another connection before a flush")
		}
		o.conn, o.flushed = conn, false
	}
	o.mu.Unlock()
	if i.FlushAll() {
		o.guard.Flush()
		o.mu.Lock()
		clear(o.cache)
		o.mu.Unlock()
		return nil
	}
	for key := range i.Keys() {
		o.guard.Invalidate(key)
		o.mu.Lock()
		delete(o.cache, string(key))
		o.mu.Unlock()
	}
	return nil
}

// message is the handler of messages.
func (o *oracle) message(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
	i, err := strconv.Atoi(string(m.Channel[2:]))
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.received[i] = append(o.received[i], event{len(o.texts), time.Now()})
	o.texts = append(o.texts, m.Payload.String())
	return nil
}

// loadConn is a connection of the load, which is dialled again when it breaks.
type loadConn struct {
	addr string
	conn net.Conn
	rd   *parser.Reader
	id   int // of the connection, among all
	n    int // grows with each use
}

var loadIDs atomic.Int64

// do sends a command and returns its reply, which is valid until the next one.
func (c *loadConn) do(args ...string) (parser.Value, error) {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, giveUp)
		if err != nil {
			return parser.Value{}, err
		}
		c.conn, c.rd, c.id = conn, parser.NewReader(conn), int(loadIDs.Add(1))
	}
	_ = c.conn.SetDeadline(time.Now().Add(giveUp))
	_, err := c.conn.Write(redistest.Append(nil, args...))
	var frame parser.Frame
	if err == nil {
		frame, err = c.rd.Next()
	}
	if err == nil {
		if text, failed := refusal(frame.Value()); failed {
			err = text
		}
	}
	if err != nil {
		c.close()
	}
	return frame.Value(), err
}

func refusal(v parser.Value) (error, bool) {
	if t := v.Type(); t == parser.TypeSimpleError || t == parser.TypeBulkError {
		return parser.ServerError(v.String()), true
	}
	return nil, false
}

func (c *loadConn) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// goLoad repeats step, some thousand times a second at most, until the end of
// the load. It rests for longer after a failure.
func (o *oracle) goLoad(addr string, step func(c *loadConn) bool) {
	o.load.Add(1)
	go func() {
		defer o.load.Done()
		c := &loadConn{addr: addr}
		defer c.close()
		pace := time.NewTimer(0)
		defer pace.Stop()
		for {
			select {
			case <-o.stop:
				return
			case <-pace.C:
			}
			c.n++
			if step(c) {
				pace.Reset(200 * time.Microsecond)
			} else {
				pace.Reset(10 * time.Millisecond)
			}
		}
	}()
}

// write gives a key of writer i its next version.
func (o *oracle) write(c *loadConn, i int) bool {
	key := (c.n*oracleWriters + i) % oracleKeys
	version := c.n
	if _, err := c.do("EVAL", setNewer, "1", keyOf(key), strconv.Itoa(version)); err != nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acks[key] = append(o.acks[key], event{version, time.Now()})
	return true
}

// publish publishes the next message.
func (o *oracle) publish(c *loadConn) bool {
	i := c.n % oracleChannels
	sent := time.Now()
	text := fmt.Sprintf("%d:%d", c.id, c.n)
	if _, err := c.do("PUBLISH", channelOf(i), text); err != nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.published[i] = append(o.published[i], published{text, sent, time.Now()})
	return true
}

// read reads a key through the near cache.
func (o *oracle) read(c *loadConn) bool {
	key := int(time.Now().UnixNano()/1000) % oracleKeys
	at := time.Now()
	if coverage := o.f.Coverage(); coverage.Armed {
		o.mu.Lock()
		if version, ok := o.cache[keyOf(key)]; ok {
			o.hits++
			o.served = append(o.served, served{key, version, at, coverage.AsOf})
			o.mu.Unlock()
			return true
		}
		o.mu.Unlock()
	}
	load := o.guard.Begin(keyOf(key))
	v, err := c.do("GET", keyOf(key))
	if err != nil {
		load.Abandon()
		return false
	}
	version := 0
	if !v.IsNull() {
		version, err = strconv.Atoi(string(v.Bytes()))
		if err != nil {
			o.problem("value %q", v.Bytes())
		}
	}
	kept := false
	if o.f.Coverage().Armed {
		kept = load.Keep(func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.cache[keyOf(key)] = version
		})
	} else {
		load.Abandon()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loads++
	if kept {
		o.kept++
	}
	return true
}
