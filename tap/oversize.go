package tap

import (
	"errors"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// errUsedUp is how an oversize says that it needs more bytes.
var errUsedUp = errors.New("tap: no more bytes in this piece")

// An oversize drops one frame that it is fed in pieces, and holds none of it. It
// is a [parser.Source] of what is left of the piece, for the Reader that knows how
// to drop.
type oversize struct {
	rd *parser.Reader
	b  []byte
}

// newOversize returns an oversize. The limits bound what cannot be dropped
// without remembering it.
func newOversize(l parser.Limits) *oversize {
	o := new(oversize)
	o.rd = parser.NewSourceReader(o, parser.WithLimits(l))
	return o
}

// feed drops what b has of the frame: n bytes; done says that it ends there.
func (o *oversize) feed(b []byte) (n int, done bool, err error) {
	o.b = b
	err = o.rd.Skip()
	n = len(b) - len(o.b)
	o.b = nil
	if err == errUsedUp {
		return n, false, nil
	}
	return n, err == nil, err
}

// Peek returns n bytes if the piece has as many.
func (o *oversize) Peek(n int) ([]byte, error) {
	if n > len(o.b) {
		return o.b, errUsedUp
	}
	return o.b[:n], nil
}

// Discard drops n bytes.
func (o *oversize) Discard(n int) (int, error) {
	o.b = o.b[n:]
	return n, nil
}

// Buffered returns how many bytes are left of the piece.
func (o *oversize) Buffered() int { return len(o.b) }

// skipBegun begins to drop the push under way, of which nothing has been taken
// out yet, from its beginning on.
func (f *filter) skipBegun(p *piece) (err error) {
	f.over, f.overAt = newOversize(f.limits), f.pos+int64(p.start)
	f.state, p.at = inOversize, p.start
	f.frames.Reset()
	f.frames.seen = 0
	if f.held != nil {
		f.overAt -= int64(len(f.held.B))
		_, _, err = f.over.feed(f.held.B)
		bufpool.Put(f.taken())
	}
	return err
}

// skip drops more of the push under way.
func (f *filter) skip(p *piece) error {
	n, done, err := f.over.feed(p.b[p.at:])
	p.at += n
	if err != nil {
		return locate(err, f.overAt)
	}
	if done {
		f.state, f.over = inReplies, nil
		f.counters.oversize.Add(1)
		f.cut(p, p.start, p.at)
	}
	return nil
}
