package dispatch_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/parser"
)

// namedPush returns a push with a name and one element.
func namedPush(t testing.TB, name, element string) parser.Frame {
	t.Helper()
	f, _, err := parser.Parse([]byte(">2\r\n+" + name + "\r\n+" + element + "\r\n"))
	require.NoError(t, err)
	return f
}

func TestBarrierWaitsForThePushesBeforeIt(t *testing.T) {
	for _, workers := range []int{1, 8} {
		var handled atomic.Int64
		started, proceed := make(chan struct{}, 64), make(chan struct{})
		q := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			started <- struct{}{}
			<-proceed
			handled.Add(1)
			return nil
		}, dispatch.QueueWorkers(workers))
		for _, channel := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			require.NoError(t, q.HandlePush(t.Context(), dispatch.NotificationHandlerContext{}, namedPush(t, "message", channel)))
		}
		<-started // at least one is in the handler, and perhaps none waits any more
		reached := make(chan int64, 1)
		require.True(t, q.Barrier(func() { reached <- handled.Load() }))
		select {
		case <-reached:
			t.Fatal("the handler has not returned")
		default:
		}
		close(proceed)
		require.Equal(t, int64(8), <-reached)
		require.NoError(t, q.Close(t.Context()))
	}
}

func TestBarrierOfAnIdleQueueIsReachedAtOnce(t *testing.T) {
	q := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil })
	reached := false
	require.True(t, q.Barrier(func() { reached = true }))
	require.True(t, reached)
	require.NoError(t, q.Close(t.Context()))
	require.False(t, q.Barrier(func() { t.Error("the queue is closed") }))
}

func TestBarrierWaitsForTheFlush(t *testing.T) {
	var flushed atomic.Bool
	started, proceed := make(chan struct{}), make(chan struct{})
	q := dispatch.NewQueueFunc(func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		for v := range push.Args() {
			if v.IsNull() {
				flushed.Store(true)
				return nil
			}
		}
		started <- struct{}{}
		<-proceed
		return nil
	}, dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	send := func() {
		require.NoError(t, q.HandlePush(t.Context(), dispatch.NotificationHandlerContext{}, namedPush(t, "invalidate", "k")))
	}
	send()
	<-started
	send()
	send() // no room: a flush replaces both
	reached := make(chan bool, 1)
	require.True(t, q.Barrier(func() { reached <- flushed.Load() }))
	close(proceed)
	require.True(t, <-reached)
	require.NoError(t, q.Close(t.Context()))
}

func TestBarrierIsNotReachedWhenCloseGivesUp(t *testing.T) {
	started, proceed := make(chan struct{}), make(chan struct{})
	q := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		started <- struct{}{}
		<-proceed
		return nil
	})
	for range 2 {
		require.NoError(t, q.HandlePush(t.Context(), dispatch.NotificationHandlerContext{}, namedPush(t, "invalidate", "k")))
	}
	<-started
	require.True(t, q.Barrier(func() { t.Error("a push before it was dropped") }))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.Close(ended), context.Canceled)
	close(proceed)
	require.NoError(t, q.Close(t.Context()))
}

func TestBarrierDoesNotAllocate(t *testing.T) {
	reached, started, proceed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	q := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		started <- struct{}{}
		<-proceed
		return nil
	})
	push, f := namedPush(t, "invalidate", "k"), func() { reached <- struct{}{} }
	got := allocs.PerRun(100, func() {
		_ = q.HandlePush(context.Background(), dispatch.NotificationHandlerContext{}, push)
		<-started
		q.Barrier(f)
		proceed <- struct{}{}
		<-reached
	})
	require.Zero(t, got)
	require.NoError(t, q.Close(t.Context()))
}
