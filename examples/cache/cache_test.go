package main

import (
	"context"
	"errors"
	"testing"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

const (
	invalidateK = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
	flush       = ">2\r\n$10\r\ninvalidate\r\n_\r\n"
)

// server is what a cache loads from. A load reads the value when it begins, and
// returns when the test allows it.
type server struct {
	value   string
	reading chan struct{} // a load has read the value
	answer  chan struct{} // the load may return
}

func (s *server) load(context.Context, string) (string, error) {
	value := s.value
	s.reading <- struct{}{}
	<-s.answer
	return value, nil
}

// answers allows n loads to return.
func (s *server) answers(n int) {
	for range n {
		<-s.reading
		s.answer <- struct{}{}
	}
}

func newTestCache() (*server, *cache) {
	s := &server{value: "old", reading: make(chan struct{}), answer: make(chan struct{})}
	return s, newCache(s.load, otter.Options[string, string]{MaximumSize: 10})
}

// push gives a push to the cache, as a processor does.
func push(t *testing.T, c *cache, wire string) {
	t.Helper()
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("invalidate", notify.OnInvalidate(c.invalidate)))
	f, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	require.Equal(t, 1, p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
}

type got struct {
	value string
	loads int
	err   error
}

func get(t *testing.T, c *cache) chan got {
	result := make(chan got, 1)
	go func() {
		value, loads, err := c.get(t.Context(), "k")
		result <- got{value, loads, err}
	}()
	return result
}

// A value is read, changed and invalidated before it is stored.
func TestValueInvalidatedWhileLoadedIsNotCached(t *testing.T) {
	s, c := newTestCache()
	c.on()
	result := get(t, c)
	<-s.reading // "old" is on its way
	s.value = "new"
	push(t, c, invalidateK)
	s.answer <- struct{}{}
	s.answers(1)
	require.Equal(t, got{"new", 2, nil}, <-result)
	require.Equal(t, got{"new", 0, nil}, <-get(t, c), "cached")
}

func TestValueFlushedWhileLoadedIsNotCached(t *testing.T) {
	s, c := newTestCache()
	c.on()
	result := get(t, c)
	<-s.reading
	s.value = "new"
	push(t, c, flush)
	s.answer <- struct{}{}
	require.Equal(t, got{"old", 1, nil}, <-result, "it was right when get was called")
	result = get(t, c)
	s.answers(1)
	require.Equal(t, got{"new", 1, nil}, <-result, "and is not cached")
	require.Equal(t, got{"new", 0, nil}, <-get(t, c))
}

func TestInvalidatedAndFlushedKeysAreGone(t *testing.T) {
	s, c := newTestCache()
	c.on()
	for _, wire := range []string{invalidateK, flush} {
		result := get(t, c)
		s.answers(1)
		require.Equal(t, 1, (<-result).loads)
		require.Equal(t, 0, (<-get(t, c)).loads)
		push(t, c, wire)
	}
	result := get(t, c)
	s.answers(1)
	require.Equal(t, 1, (<-result).loads)
}

// A cache that is off keeps nothing, and an invalidation that arrives late does
// not turn it on.
func TestCacheThatIsOffKeepsNothing(t *testing.T) {
	s, c := newTestCache()
	for range 2 {
		result := get(t, c)
		s.answers(1)
		require.Equal(t, got{"old", 1, nil}, <-result)
	}
	c.on()
	result := get(t, c)
	s.answers(1)
	require.Equal(t, 1, (<-result).loads)
	c.off()
	push(t, c, invalidateK)
	push(t, c, flush)
	result = get(t, c)
	s.answers(1)
	require.Equal(t, 1, (<-result).loads)
}

func TestFailedLoadIsNotCached(t *testing.T) {
	failure := errors.New("no server")
	c := newCache(func(context.Context, string) (string, error) { return "", failure }, otter.Options[string, string]{MaximumSize: 10})
	for _, turn := range []func(){c.off, c.on} {
		turn()
		_, _, err := c.get(t.Context(), "k")
		require.ErrorIs(t, err, failure)
	}
}
