package goredis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// pipeServer is the other end of a client's connections, which are pipes: each write is one read, at the least.
type pipeServer struct {
	t     *testing.T
	reply func(name string) []string // what to write for a command that is not part of the greeting, write by write
	last  net.Conn                   // dialled
}

func (s *pipeServer) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.t.Cleanup(func() { _ = server.Close() })
	s.last = server
	go func() {
		defer server.Close()
		rd := parser.NewReader(server)
		for {
			command, err := rd.Next()
			if err != nil {
				return
			}
			var args []string
			for arg := range command.Value().All() {
				args = append(args, strings.ToLower(arg.String()))
			}
			out := []string{"+OK\r\n"}
			switch args[0] {
			case "hello":
				out = []string{"%1\r\n$5\r\nproto\r\n:3\r\n"}
			case "client":
			default:
				out = s.reply(args[0])
			}
			for _, piece := range out {
				if _, err = server.Write([]byte(piece)); err != nil {
					return
				}
			}
		}
	}()
	return client, nil
}

// push writes to the connection dialled last; the result ends when all has been read.
func (s *pipeServer) push(wire string) <-chan error {
	written := make(chan error, 1)
	go func() {
		_, err := s.last.Write([]byte(wire))
		written <- err
	}()
	return written
}

// client returns a client of the server.
func (s *pipeServer) client(opt redis.Options, p push.NotificationProcessor) *redis.Client {
	opt.Dialer = s.dial
	opt.PoolSize = 1
	opt.MaxRetries = -1
	return newClient(s.t, *withoutMaintenance(&opt), p)
}

func TestAClientGetsEverySplitRight(t *testing.T) {
	large := largePush + bulk(600)
	for _, size := range []int{128, 32 << 10} {
		var j journal
		var pieces []string
		s := &pipeServer{t: t, reply: func(string) []string { return pieces }}
		client := s.client(redis.Options{ReadBufferSize: size}, j.processor())
		for _, wire := range []string{invalidate, moving + flush, large, attribute + flush} {
			for i := 1; i < len(wire); i++ {
				pieces = []string{wire[:i], wire[i:] + "+PONG\r\n"}
				require.Equal(t, "PONG", client.Ping(background).Val(), "%q", pieces)
			}
			n := len(wire) - 1
			if wire == moving+flush {
				n *= 2
			}
			require.Len(t, j.entries, n)
			for _, e := range j.entries {
				require.Contains(t, []string{pushIn(t, invalidate), pushIn(t, moving), pushIn(t, flush), pushIn(t, large), pushIn(t, attribute+flush)}, e)
			}
			j.entries = nil
		}
	}
}

// A PubSub goes on with its connection when nothing has come in time.
func TestAPubSubThatTimesOutInsideAPush(t *testing.T) {
	var j journal
	s := &pipeServer{t: t, reply: func(string) []string {
		return []string{">3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n"}
	}}
	client := s.client(redis.Options{ReadBufferSize: 128}, j.processor())
	sub := client.Subscribe(background, "ch")
	defer sub.Close()
	_, err := sub.Receive(background)
	require.NoError(t, err)
	for _, wire := range []string{invalidate, largePush + bulk(600)} {
		for i := 20; i < len(wire); i += 7 { // the name has come, as the first read has that many
			at := fmt.Sprint("cut at ", i)
			j.entries = nil
			for written := s.push(wire[:i]); written != nil; {
				_, err := sub.ReceiveTimeout(background, time.Millisecond)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, at)
				select {
				case err = <-written:
					require.NoError(t, err, at)
					written = nil
				default:
				}
			}
			written := s.push(wire[i:] + message)
			msg, err := sub.ReceiveTimeout(background, patience)
			require.NoError(t, err, at)
			require.NoError(t, <-written, at)
			require.Equal(t, "hello", msg.(*redis.Message).Payload)
			require.Equal(t, []string{pushIn(t, wire)}, j.entries, at)
		}
	}
}
