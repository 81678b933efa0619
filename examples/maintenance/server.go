package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/seed79615202/respush/parser"
)

// A step is how a played server handles one PING: it sends pushes, waits, and
// replies.
type step struct {
	pushes string
	takes  time.Duration
}

// busy is longer than the normal time-out of a reply.
const busy = normal + 200*time.Millisecond

// maintenance returns the script of a server whose endpoint finally moves to
// next.
func maintenance(next string) []step {
	return []step{
		{},
		{pushes: ">4\r\n+MIGRATING\r\n:1\r\n:2\r\n+1,2\r\n", takes: busy},
		{pushes: ">3\r\n+MIGRATED\r\n:2\r\n+1,2\r\n"},
		{pushes: ">4\r\n+FAILING_OVER\r\n:3\r\n:1\r\n+2\r\n", takes: busy},
		{pushes: ">3\r\n+FAILED_OVER\r\n:4\r\n+2\r\n" + ">2\r\n+CHECKING_DISKS\r\n:5\r\n"},
		{pushes: ">3\r\n+SMIGRATING\r\n:6\r\n$12\r\n123,789-1000\r\n"},
		{pushes: ">3\r\n+SMIGRATED\r\n:7\r\n*1\r\n*3\r\n+10.0.0.1:6379\r\n+10.0.0.2:6379\r\n+123,789-1000\r\n"},
		{pushes: fmt.Sprintf(">4\r\n+MOVING\r\n:8\r\n:2\r\n$%d\r\n%s\r\n", len(next), next)},
	}
}

// play starts a server that follows script on each connection, one step for
// each PING, and answers normally after that. The server ends with ctx.
func play(ctx context.Context, script []step) (addr string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(ctx, conn, script)
		}
	}()
	return listener.Addr().String(), nil
}

// answer serves a connection until its client closes it or ctx ends.
func answer(ctx context.Context, conn net.Conn, script []step) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	rd := parser.NewReader(conn) // commands are arrays of strings
	for {
		command, err := rd.Next()
		if err != nil {
			return
		}
		reply := "+OK\r\n"
		switch name(command) {
		case "HELLO":
			reply = "%1\r\n+proto\r\n:3\r\n"
		case "PING":
			reply = "+PONG\r\n"
			if len(script) > 0 {
				if _, err := io.WriteString(conn, script[0].pushes); err != nil {
					return
				}
				select {
				case <-time.After(script[0].takes):
				case <-ctx.Done():
				}
				script = script[1:]
			}
		}
		if _, err := io.WriteString(conn, reply); err != nil {
			return
		}
	}
}

// name returns the first word of a command.
func name(command parser.Frame) string {
	for word := range command.Value().All() {
		return word.String()
	}
	return ""
}
