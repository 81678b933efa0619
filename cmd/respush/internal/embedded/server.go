// Package embedded runs a Redis look-alike in this process, and traffic on it,
// to show pushes on a machine with nothing installed.
//
// The server is miniredis, which has pub/sub of its own but neither tracking
// nor maintenance notifications. Its hook adds these: it answers CLIENT
// TRACKING, sees the writes of every connection, and sends the pushes that a
// real server would.
package embedded

import (
	"net"
	"strings"
	"sync"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// A Server is an embedded server without a port. Only Dial connects to it.
type Server struct {
	mini   *miniredis.Miniredis
	server *server.Server // of mini, which forgets it in Close while commands still run

	mu       sync.Mutex
	watchers map[*server.Peer]*watcher
	running  map[*server.Peer]bool // connections whose command the hook is running
}

// A watcher is a connection that speaks RESP3. While it tracks, it receives
// invalidations: of the keys with one of its prefixes if it broadcasts, and of
// no key otherwise, because it reads none.
type watcher struct {
	tracks     bool
	broadcasts bool
	prefixes   []string // none: every key
}

// Start starts a server. Close ends it.
func Start() (*Server, error) {
	s := &Server{
		mini:     miniredis.NewMiniRedis(),
		watchers: map[*server.Peer]*watcher{},
		running:  map[*server.Peer]bool{},
	}
	conn, err := s.mini.Dial() // starts it
	if err != nil {
		return nil, err
	}
	s.server = s.mini.Server()
	s.server.SetPreHook(s.hook)
	return s, conn.Close()
}

// Dial returns a new connection to the server, in memory.
func (s *Server) Dial() (net.Conn, error) { return s.mini.Dial() }

// Close ends the server and its connections.
func (s *Server) Close() { s.mini.Close() }

// hook runs before each command, on the goroutine of its connection. It returns
// true if it has run the command itself.
func (s *Server) hook(peer *server.Peer, cmd string, args ...string) bool {
	switch cmd {
	case "HELLO":
		s.watch(peer, len(args) > 0 && args[0] == "3")
		return false
	case "CLIENT":
		if len(args) == 0 || !strings.EqualFold(args[0], "TRACKING") {
			return false
		}
		s.track(peer, args[1:])
		return true
	default:
		keys, all := written(cmd, args)
		if len(keys) == 0 && !all {
			return false
		}
		return s.runAndInvalidate(peer, cmd, args, keys, all)
	}
}

// runAndInvalidate runs a write and then notifies the watchers, as a server
// does. miniredis has no hook after a command, so this function dispatches the
// command itself. That calls the hook again, which then does nothing.
func (s *Server) runAndInvalidate(peer *server.Peer, cmd string, args, keys []string, all bool) bool {
	if !s.enter(peer) {
		return false
	}
	s.server.Dispatch(peer, append([]string{cmd}, args...))
	s.leave(peer)
	if all {
		s.flushed()
	} else {
		s.changed(keys)
	}
	return true
}

func (s *Server) enter(peer *server.Peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[peer] {
		return false
	}
	s.running[peer] = true
	return true
}

func (s *Server) leave(peer *server.Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, peer)
}

// written returns the keys that a command writes, and reports whether it drops
// all keys.
func written(cmd string, args []string) (keys []string, all bool) {
	switch cmd {
	case "FLUSHALL", "FLUSHDB":
		return nil, true
	case "DEL", "UNLINK":
		return args, false
	case "SET", "INCR", "APPEND", "EXPIRE", "HSET", "LPUSH", "RPUSH", "SADD", "ZADD":
		return args[:min(1, len(args))], false
	case "MSET":
		for i := 0; i < len(args); i += 2 {
			keys = append(keys, args[i])
		}
		return keys, false
	default:
		return nil, false
	}
}

// watch records whether peer speaks RESP3.
func (s *Server) watch(peer *server.Peer, resp3 bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !resp3 {
		delete(s.watchers, peer)
		return
	}
	if s.watchers[peer] == nil {
		s.watchers[peer] = &watcher{}
		peer.OnDisconnect(func() { s.watch(peer, false) })
	}
}

// track answers CLIENT TRACKING with the given arguments.
func (s *Server) track(peer *server.Peer, args []string) {
	now := watcher{}
	for i := 0; i < len(args); i++ {
		switch strings.ToUpper(args[i]) {
		case "ON":
			now.tracks = true
		case "OFF":
			now.tracks = false
		case "BCAST":
			now.broadcasts = true
		case "PREFIX":
			if i++; i < len(args) {
				now.prefixes = append(now.prefixes, args[i])
			}
		default:
			peer.WriteError("ERR syntax error")
			return
		}
	}
	s.mu.Lock()
	w := s.watchers[peer]
	if w != nil {
		*w = now
	}
	s.mu.Unlock()
	if w == nil {
		peer.WriteError("ERR Client tracking can be enabled only in RESP3 mode")
		return
	}
	peer.WriteOK()
}
