package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

func TestProgramComparesThePolicies(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	require.Len(t, lines, 1+len(policies))
	for i, policy := range policies {
		var name string
		var rate, received, delivered, dropped, blocked, last, disordered int
		_, err := fmt.Sscan(lines[1+i], &name, &rate, &received, &delivered, &dropped, &blocked, &last, &disordered)
		require.NoError(t, err)
		require.Equal(t, policy.name, name)
		require.Positive(t, rate)
		require.Equal(t, messages, received, "the queue is never what the server waits for too long")
		require.Equal(t, messages, delivered+dropped)
		require.Zero(t, disordered)
		switch policy.overflow {
		case dispatch.Block:
			require.Zero(t, dropped)
			require.Positive(t, blocked)
		case dispatch.DropOldest:
			require.Equal(t, messages, last)
			fallthrough
		default:
			require.Positive(t, dropped)
			require.Zero(t, blocked)
		}
	}
}

func TestProgramWithoutAServerSaysSo(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), nil, nil), program.ErrNoServer)
}

// The context ends while messages arrive and some wait in the queue.
func TestProgramEndsWhenInterrupted(t *testing.T) {
	server := redistest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := newSubscriber(dispatch.Block)
	ended := make(chan error, 1)
	go func() {
		_, err := s.run(ctx, program.Server{Addr: server.Addr})
		ended <- err
	}()
	client := server.Dial(t)
	for client.Do("PUBLISH", channel(0), "1").String() == "0" { // until it has subscribed
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	of := s.queue.Stats()
	require.Zero(t, of.Waiting)
	require.Equal(t, of.Pushes, of.Delivered+of.Dropped)
}

func TestDisorderIsCounted(t *testing.T) {
	s := newSubscriber(dispatch.Block)
	for _, number := range []int{1, 2, 4, 3, 5} {
		f, _, err := parser.Parse(fmt.Appendf(nil, ">3\r\n+message\r\n+%s\r\n:%d\r\n", channel(1), number))
		require.NoError(t, err)
		m, err := notify.ParseMessage(f)
		require.NoError(t, err)
		require.NoError(t, s.message(t.Context(), dispatch.NotificationHandlerContext{}, m))
	}
	require.EqualValues(t, 1, s.disordered.Load())
	require.NoError(t, s.queue.Close(t.Context()))
}

func TestProgramTellsThatTheServerEnded(t *testing.T) {
	server := redistest.Start(t)
	s := newSubscriber(dispatch.DropNewest)
	ended := make(chan error, 1)
	go func() {
		_, err := s.run(t.Context(), program.Server{Addr: server.Addr})
		ended <- err
	}()
	client := server.Dial(t)
	for client.Do("PUBLISH", channel(0), "1").String() == "0" {
	}
	client.Do("CLIENT", "KILL", "TYPE", "pubsub")
	require.Error(t, <-ended)
	require.Zero(t, s.queue.Stats().Waiting)
}
