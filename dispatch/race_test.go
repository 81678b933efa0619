package dispatch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// churn registers and unregisters the names until stop is closed, at least once and without a pause. It varies the method
// of registration. Each handler reports a push that has another name.
func churn(p *dispatch.Processor, names []string, handled *atomic.Int64, stop <-chan struct{}) error {
	for round := 0; ; round++ {
		for i, name := range names {
			check := func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
				handled.Add(1)
				if string(f.Name()) != name {
					return fmt.Errorf("a push %q at the handler of %q", f.Name(), name)
				}
				return nil
			}
			var err error
			if (round+i)%2 == 0 {
				err = p.HandleFunc(name, check)
			} else {
				err = p.RegisterHandler(name, own{name, handled}, false)
			}
			if err != nil {
				return err
			}
			if h := p.GetHandler(name); (h == nil) != ((round+i)%2 == 0) {
				return fmt.Errorf("%q is not what was registered", name)
			}
		}
		for _, name := range names {
			if err := p.UnregisterHandler(name); err != nil {
				return err
			}
		}
		select {
		case <-stop:
			return nil
		default:
			runtime.Gosched()
		}
	}
}

// own is the NotificationHandler of a name.
type own struct {
	name    string
	handled *atomic.Int64
}

func (o own) HandlePushNotification(_ context.Context, _ dispatch.NotificationHandlerContext, notification []interface{}) error {
	o.handled.Add(1)
	if notification[0] != o.name {
		return fmt.Errorf("a push %q at the handler of %q", notification[0], o.name)
	}
	return nil
}

func TestConnectionsDispatchWhileHandlersComeAndGo(t *testing.T) {
	const connections, rounds, writers = 8, 60, 2
	var names [writers][]string
	var wire strings.Builder
	pushes := 0
	for w := range names {
		for i := range 3 {
			names[w] = append(names[w], fmt.Sprintf("name-%d-%d", w, i))
			for _, arg := range []string{"x", "y", strings.Repeat("z", 200)} {
				wire.WriteString(push(names[w][i], arg))
				pushes++
			}
		}
	}
	wire.WriteString(pong)

	var handled, unhandled atomic.Int64
	var mu sync.Mutex
	var failures []error
	p := dispatch.NewProcessor(
		dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) {
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, err)
		}),
		dispatch.WithFallback(dispatch.HandlerFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			unhandled.Add(1)
			return nil
		})))

	stop := make(chan struct{})
	var writing, reading sync.WaitGroup
	errs := make(chan error, writers+connections)
	for w := range names {
		writing.Add(1)
		go func() {
			defer writing.Done()
			errs <- churn(p, names[w], &handled, stop)
		}()
	}
	for i := range connections {
		reading.Add(1)
		go func() {
			defer reading.Done()
			errs <- processRounds(p, i, wire.String(), rounds)
		}()
	}
	reading.Wait()
	close(stop)
	writing.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(failures...))
	require.EqualValues(t, connections*rounds*pushes, handled.Load()+unhandled.Load(), "every push went to one handler")
	stats := p.Stats()
	require.EqualValues(t, connections*rounds*pushes, stats.Pushes)
	require.Zero(t, stats.Errors+stats.Panics+stats.Unhandled)
}

// processRounds reads a stream of the same wire again and again, in one of the ways a connection may be read.
func processRounds(p *dispatch.Processor, way int, wire string, rounds int) error {
	var from dispatch.NotificationHandlerContext
	ctx := context.Background()
	in := &cycle{wire: wire, rounds: rounds}
	rd := parser.NewReader(in, parser.WithBufferSize(1<<way*64))
	if way%2 == 1 {
		rd = parser.NewReader(bufio.NewReaderSize(in, 1<<way*16))
	}
	if way%4 == 0 {
		return p.Serve(ctx, from, rd, nil)
	}
	for {
		if err := p.ProcessPendingNotifications(ctx, from, rd); err != nil {
			return err
		}
		f, err := rd.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case string(f.Raw()) != pong:
			return fmt.Errorf("%q is no reply", f.Raw())
		}
	}
}

// Handlers change the registry themselves, from all connections at once.
func TestHandlersRegisterAndUnregisterFromManyConnections(t *testing.T) {
	const connections, rounds = 8, 100
	var calls atomic.Int64
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		panic(fmt.Sprintf("%s: %v", name, err))
	}))
	var once dispatch.HandlerFunc = func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		calls.Add(1)
		return p.UnregisterHandler("once")
	}
	handle(t, p, "again", func(parser.Frame) error {
		if err := p.HandleFunc("once", once); err != nil && !dispatch.IsHandlerExistsError(err) {
			return err
		}
		return nil
	})
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	for i := range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs <- processRounds(p, i, push("again")+push("once")+push("other")+pong, rounds)
		}()
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	stats := p.Stats()
	require.Zero(t, stats.Errors+stats.Panics)
	require.EqualValues(t, 3*connections*rounds, stats.Pushes)
	require.EqualValues(t, 2*connections*rounds, uint64(calls.Load())+stats.Unhandled)
}

func TestAThousandConnectionsShareAProcessorWithAWriter(t *testing.T) {
	const connections, rounds = 1000, 10
	p, got := dispatch.NewProcessor(), atomic.Int64{}
	handle(t, p, "always", func(parser.Frame) error { got.Add(1); return nil })
	stop, written := make(chan struct{}), make(chan error, 1)
	go func() { written <- churn(p, []string{"sometimes"}, new(atomic.Int64), stop) }()

	wire := strings.Repeat(push("always", "x")+push("sometimes", "y")+pong, rounds)
	ended := make(chan error, connections)
	for range connections {
		go func() {
			rd := parser.NewReader(strings.NewReader(wire), parser.WithBufferSize(64))
			for range rounds {
				if err := p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
					ended <- err
					return
				}
				if err := rd.Skip(); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range connections {
		require.NoError(t, <-ended)
	}
	close(stop)
	require.NoError(t, <-written)
	require.EqualValues(t, connections*rounds, got.Load())
	require.EqualValues(t, 2*connections*rounds, p.Stats().Pushes)
}
