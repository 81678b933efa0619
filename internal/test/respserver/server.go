package respserver

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed79615202/respush/parser"
)

// patience bounds every wait of this package; a test that runs into it fails.
const patience = time.Minute

// A Handler answers one command by writing to c, or does not answer it. cmd
// includes the command's name. A Handler runs on the connection's goroutine, so
// the next command waits for it.
type Handler func(c *Conn, cmd []string)

// A Server accepts connections and answers their commands. Its settings apply
// to later commands on all connections. Its methods may be called from any
// goroutine.
type Server struct {
	Addr string // host:port

	listener net.Listener
	done     chan struct{} // closed by Close
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	handlers map[string]Handler
	role     string
	arrays   bool
	delay    time.Duration
	cut      int // -1 means never
	dials    int
	conns    []*Conn
	events   []chan Command
}

// A Command is a command that a connection has received. It is announced before
// it is answered.
type Command struct {
	Conn *Conn
	Args []string
}

// Start runs a Server until the end of the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{
		Addr: listener.Addr().String(), listener: listener, done: make(chan struct{}),
		handlers: make(map[string]Handler), role: "master", cut: -1,
	}
	s.running.Add(1)
	go s.accept()
	tb.Cleanup(s.Close)
	return s
}

// Handle sets the Handler of a command. The command is named by its first word,
// as in GET, or by its first two words, as in CLIENT TRACKING. The longer name
// takes precedence. A nil Handler restores the default answer, which is that of
// Default.
func (s *Server) Handle(command string, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[strings.ToUpper(command)] = h
}

// Refuse answers a command, named as for Handle, with an error with this text.
func (s *Server) Refuse(command, text string) {
	s.Handle(command, func(c *Conn, _ []string) { c.Write("-" + text + "\r\n") })
}

// SetRole sets the role that HELLO reports. It is master at first.
func (s *Server) SetRole(role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.role = role
}

// ConfirmWithArrays sets whether subscriptions are confirmed by arrays even in
// RESP3, as Dragonfly and Kvrocks did, instead of pushes.
func (s *Server) ConfirmWithArrays(arrays bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrays = arrays
}

// Delay makes each command wait for delay before it is answered. Pushes that a
// test sends do not wait.
func (s *Server) Delay(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// CutAfter makes each connection that is accepted from now on end right after
// its first n bytes, answers and pushes together. -1 turns the cuts off.
func (s *Server) CutAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = n
}

// Dials returns how many connections have been accepted so far.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Conns returns the connections that are up, in the order of acceptance.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Conn(nil), s.conns...)
}

// Events returns a channel of the commands that are received from now on. Each
// call returns a new channel. A channel that is not read blocks the server
// after 1,024 commands. The channel is never closed.
func (s *Server) Events() <-chan Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make(chan Command, 1024)
	s.events = append(s.events, events)
	return events
}

// Await returns the next command with this name, as for Handle, and drops the
// commands before it. It fails the test if no such command comes for a long
// time.
func Await(tb testing.TB, events <-chan Command, name string) Command {
	tb.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case cmd := <-events:
			if two, one := names(cmd.Args); two == name || one == name {
				return cmd
			}
		case <-timeout.C:
			tb.Fatalf("timed out waiting for %s", name)
		}
	}
}

// CloseAll closes the connections that are up.
func (s *Server) CloseAll() {
	for _, c := range s.Conns() {
		c.Close()
	}
}

// Close ends the server and its connections, and waits for their goroutines, so
// no Handler may call it. It may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
		_ = s.listener.Close() // an error does not matter
	}
	s.mu.Unlock()
	s.CloseAll()
	s.running.Wait()
}

// accept serves clients until Close.
func (s *Server) accept() {
	defer s.running.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.dials++
		c := &Conn{ID: s.dials, server: s, conn: conn, done: make(chan struct{}), proto: 2, left: s.cut}
		if s.closed {
			s.mu.Unlock()
			_ = conn.Close() // accepted too late to be served
			return
		}
		s.conns = append(s.conns, c)
		s.running.Add(1)
		s.mu.Unlock()
		go s.serve(c)
	}
}

// serve answers the commands of a connection until it ends.
func (s *Server) serve(c *Conn) {
	defer s.running.Done()
	defer s.remove(c)
	defer c.Close()
	reader := parser.NewReader(c.conn, parser.WithBufferSize(1024))
	for {
		frame, err := reader.Next()
		if err != nil {
			return
		}
		var args []string
		for v := range frame.Value().All() {
			args = append(args, v.String())
		}
		if len(args) == 0 {
			c.Write("-ERR Protocol error: expected an array of bulk strings\r\n")
			return
		}
		handler, ok := s.receive(c, args)
		if !ok {
			return
		}
		handler(c, args)
	}
}

// receive announces a command, waits for the delay, and returns the Handler
// that answers. It returns false if the connection ends first.
func (s *Server) receive(c *Conn, args []string) (Handler, bool) {
	two, one := names(args)
	s.mu.Lock()
	events, delay, handler := s.events, s.delay, s.handlers[two]
	if handler == nil {
		handler = s.handlers[one]
	}
	s.mu.Unlock()
	for _, ch := range events {
		select {
		case ch <- Command{Conn: c, Args: args}:
		case <-c.done:
			return nil, false
		}
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.done:
			return nil, false
		}
	}
	if handler == nil {
		handler = Default
	}
	return handler, true
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.conns {
		if other == c {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			return
		}
	}
}

// names returns the first two words of a command, and the first word, in upper
// case.
func names(args []string) (two, one string) {
	one = strings.ToUpper(args[0])
	if len(args) > 1 {
		return one + " " + strings.ToUpper(args[1]), one
	}
	return one, one
}
