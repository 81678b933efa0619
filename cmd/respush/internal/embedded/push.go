package embedded

import (
	"strings"

	"github.com/alicebob/miniredis/v2/server"
)

// flushed sends every tracking connection the push that stands for all keys.
func (s *Server) flushed() {
	for peer, w := range s.snapshot() {
		if w.tracks {
			send(peer, func(out *server.Writer) {
				out.WritePushLen(2)
				out.WriteBulk("invalidate")
				out.WriteNull()
			})
		}
	}
}

// changed sends every broadcasting connection the keys that it asked for.
func (s *Server) changed(keys []string) {
	for peer, w := range s.snapshot() {
		wanted := w.wanted(keys)
		if len(wanted) == 0 {
			continue
		}
		send(peer, func(out *server.Writer) {
			out.WritePushLen(2)
			out.WriteBulk("invalidate")
			out.WriteStrings(wanted)
		})
	}
}

// wanted returns those of keys that w asked for.
func (w watcher) wanted(keys []string) []string {
	if !w.tracks || !w.broadcasts {
		return nil
	}
	if len(w.prefixes) == 0 {
		return keys
	}
	var out []string
	for _, key := range keys {
		for _, prefix := range w.prefixes {
			if strings.HasPrefix(key, prefix) {
				out = append(out, key)
				break
			}
		}
	}
	return out
}

// maintain sends a maintenance push to every RESP3 connection. Elements are
// strings, ints, nil for the null, and lists of these.
func (s *Server) maintain(name string, elements ...any) {
	for peer := range s.snapshot() {
		send(peer, func(out *server.Writer) {
			out.WritePushLen(1 + len(elements))
			out.WriteBulk(name)
			for _, element := range elements {
				write(out, element)
			}
		})
	}
}

func write(out *server.Writer, element any) {
	switch element := element.(type) {
	case nil:
		out.WriteNull()
	case int:
		out.WriteInt(element)
	case string:
		out.WriteBulk(element)
	case []any:
		out.WriteLen(len(element))
		for _, inner := range element {
			write(out, inner)
		}
	}
}

// snapshot returns the watchers of this moment. Sending may block, and must not
// hold up connections that are opened or closed meanwhile.
func (s *Server) snapshot() map[*server.Peer]watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[*server.Peer]watcher, len(s.watchers))
	for peer, w := range s.watchers {
		out[peer] = *w
	}
	return out
}

// send writes a push in one piece, because other goroutines write to peer as
// well.
func send(peer *server.Peer, push func(*server.Writer)) {
	peer.Block(func(out *server.Writer) {
		push(out)
		out.Flush()
	})
}
