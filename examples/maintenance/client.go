package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// How long the client waits for a reply.
const (
	normal  = 500 * time.Millisecond
	relaxed = 10 * time.Second // while the server is under maintenance
)

// A client has one connection, and sends one command at a time. Its handlers
// run on the goroutine that waits for the reply, so nothing here needs a lock.
//
// Invariant: rd reads conn, which is a connection to server. stop keeps the end
// of a context from closing conn.
type client struct {
	processor *dispatch.Processor
	stdout    io.Writer
	server    program.Server
	conn      net.Conn
	stop      func() bool
	rd        *parser.Reader
	timeout   time.Duration
	moving    string // the address to move to before the next command, or empty
}

// newClient connects to a server that announces its maintenance.
func newClient(ctx context.Context, server program.Server, stdout io.Writer) (*client, error) {
	c := &client{stdout: stdout, server: server, timeout: normal}
	c.processor = dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(c.unknown)))
	migrated := dispatch.HandlerFunc(notify.OnMigration(c.migrated))
	slotsMigrated := dispatch.HandlerFunc(notify.OnSlotMigration(c.slotsMigrated))
	for name, h := range map[notify.Name]dispatch.Handler{
		notify.NameMoving:      dispatch.HandlerFunc(notify.OnMoving(c.moved)),
		notify.NameMigrating:   migrated,
		notify.NameMigrated:    migrated,
		notify.NameFailingOver: migrated,
		notify.NameFailedOver:  migrated,
		notify.NameSMigrating:  slotsMigrated,
		notify.NameSMigrated:   slotsMigrated,
	} {
		if err := c.processor.Handle(string(name), h, dispatch.Protected()); err != nil {
			return nil, err
		}
	}
	return c, c.dial(ctx)
}

// dial connects to c.server and asks for the pushes. The connection is closed
// when ctx ends.
func (c *client) dial(ctx context.Context) error {
	conn, err := c.server.Dial(ctx)
	if err != nil {
		return err
	}
	c.conn, c.rd = conn, parser.NewReader(conn)
	c.stop = context.AfterFunc(ctx, func() { conn.Close() })
	fmt.Fprintln(c.stdout, "connected to", c.server.Addr)
	err = c.do(ctx, "CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "external-ip")
	if err != nil {
		c.close()
		return fmt.Errorf("no maintenance notifications here: %w", err)
	}
	return nil
}

// close closes the connection. The last command has been answered, so no reply
// is lost.
func (c *client) close() {
	c.stop()
	c.conn.Close()
	c.rd.Release()
}

// do sends a command and prints its reply.
func (c *client) do(ctx context.Context, args ...string) error {
	if c.moving != "" {
		c.close()
		c.server.Addr, c.moving, c.timeout = c.moving, "", normal
		if err := c.dial(ctx); err != nil {
			return err
		}
	}
	start := time.Now()
	err := errors.Join(c.wait(c.timeout), c.send(args))
	if err == nil {
		err = c.processor.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{Conn: c.conn}, c.rd)
	}
	if err != nil {
		return err
	}
	reply, err := c.rd.Next()
	if err == nil {
		err = program.Refused(reply)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%-19s  %v after %v\n", args[0], reply.Value(), time.Since(start).Round(time.Millisecond))
	return nil
}

func (c *client) send(args []string) error {
	_, err := c.conn.Write(program.Command(args...))
	return err
}

// wait sets how long the connection may be silent. The time also applies to the
// current read, so a push that arrives before a reply already extends the wait
// for that reply.
func (c *client) wait(timeout time.Duration) error {
	c.timeout = timeout
	return c.conn.SetReadDeadline(time.Now().Add(timeout))
}

// tell prints a push and the client's reaction.
func (c *client) tell(push any, does string) {
	fmt.Fprintf(c.stdout, "  push  %v\n        %s\n", push, does)
}

// migrated handles MIGRATING, MIGRATED, FAILING_OVER and FAILED_OVER.
func (c *client) migrated(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Migration) error {
	return c.relax(m, m.Begins())
}

// slotsMigrated handles SMIGRATING and SMIGRATED. After SMIGRATED the client of
// a cluster would also reload the slots, and move its connections as m.Moves
// says.
func (c *client) slotsMigrated(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.SlotMigration) error {
	return c.relax(m, m.Kind == notify.NameSMigrating)
}

func (c *client) relax(push any, begins bool) error {
	timeout := normal
	if begins {
		timeout = relaxed
	}
	c.tell(push, fmt.Sprint("a reply may now take ", timeout))
	return c.wait(timeout)
}

// moved handles MOVING. The reply to the current command still arrives on this
// connection, and the next command goes to the new one. A client that may be
// idle for longer than m.After would set a timer here, and move when it fires.
func (c *client) moved(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Moving) error {
	c.moving = c.server.Addr
	if !m.SameAddress() {
		c.moving = m.Endpoint.String() // a copy: m is borrowed
	}
	c.tell(m, fmt.Sprint("the next command goes to ", c.moving))
	return c.wait(relaxed)
}

// unknown handles pushes that this client does not know. They do no harm.
func (c *client) unknown(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	c.tell(notify.Describe(push), "no handler")
	return nil
}
