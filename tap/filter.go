package tap

import (
	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// A filter takes the pushes out of a stream that it is fed in pieces. It works
// on each piece in place: the bytes that stay are moved together at the
// beginning. It scans replies without holding them. It delivers a push that
// lies in one piece from there. For a push in several pieces, and for
// attributes of a frame that may be a push, it holds the parts from earlier
// pieces.
//
// Invariant: between pieces, held has the bytes seen of the frame under way if
// state is inHead or inPush, and is nil otherwise. inReply says that replies
// has begun a frame and not ended it.
type filter struct {
	observe      bool
	keepPubSub   bool
	skipOversize bool
	limits       parser.Limits
	deliver      func(push parser.Frame)
	counts       Stats // that have not been added to the totals

	state   state
	inReply bool
	nested  bool    // the push under way is inside a reply
	replies scanner // scans replies, and does not see the pushes
	frames  scanner // scans pushes, and attributes of a frame of unknown type
	held    *bytebufferpool.ByteBuffer
	pos     int64   // of the piece in the stream
	backlog backlog // bytes that stay and are no longer in their piece; they are read before the next piece
}

// state says what the next byte belongs to.
type state uint8

const (
	inReplies  state = iota // a reply, or a frame that has not begun
	inHead                  // attributes before a frame, or its type byte
	inPush                  // a push
	inOversize              // a push that is being dropped
)

// scanner is a Scanner that counts the bytes it has scanned.
type scanner struct {
	parser.Scanner
	seen int64 // bytes scanned
}

// piece is a piece of the stream that a filter works on. Invariant: b[:kept]
// stays and is in its final place. b[from:at], or b[from:start] while a frame
// is under way, stays and has not been moved yet. kept <= from.
type piece struct {
	b     []byte
	kept  int
	from  int
	start int // of the frame under way: a push, or attributes that may be those of a push
	at    int // b[:at] has been scanned
}

// prepare makes f ready. It is called after the options have been set.
func (f *filter) prepare(deliver func(parser.Frame)) {
	f.deliver = deliver
	f.frames.Scanner = *parser.NewScanner(f.limits)
}

// feed filters the next piece of the stream and returns the number of bytes
// left at its beginning. They follow the backlog in the stream. After an error
// feed must not be called again.
func (f *filter) feed(b []byte) (kept int, err error) {
	p := piece{b: b}
	err = f.run(&p)
	f.pos += int64(len(b))
	if f.observe {
		return len(b), err
	}
	return p.kept, err
}

// run filters p.
func (f *filter) run(p *piece) (err error) {
	for p.at < len(p.b) && err == nil {
		switch f.state {
		case inReplies:
			err = f.reply(p)
		case inHead:
			err = f.attributes(p)
		case inPush:
			err = f.push(p)
		case inOversize:
			err = f.skip(p)
		}
	}
	stays := p.at
	if f.holds() {
		stays = p.start
		if err == nil && f.state != inOversize {
			f.hold(p.b[p.start:])
		}
	}
	f.remove(p, stays, len(p.b))
	return err
}

// remove takes b[start:end] out of p, and moves the bytes before it that stay
// to their final place.
func (f *filter) remove(p *piece, start, end int) {
	if f.observe {
		return
	}
	if p.kept < p.from {
		copy(p.b[p.kept:], p.b[p.from:start])
	}
	p.kept += start - p.from
	p.from = end
}

// reply passes over replies, up to the next push.
func (f *filter) reply(p *piece) error {
	if !f.inReply {
		n := f.replies.PassReplies(p.b[p.at:])
		f.replies.seen += int64(n)
		if p.at += n; p.at == len(p.b) {
			return nil
		}
		switch parser.Type(p.b[p.at]) {
		case parser.TypePush:
			f.begin(p, inPush, false)
			if f.limits == (parser.Limits{}) {
				if push, _ := parser.PlainPush(p.b[p.at:]); len(push.Raw()) > 0 {
					p.at += len(push.Raw())
					f.take(p, push, nil)
				}
			}
			return nil
		case parser.TypeAttribute:
			f.begin(p, inHead, false)
			return nil
		}
	}
	return f.pass(p)
}

// pass is reply for a frame that is known not to be held.
func (f *filter) pass(p *piece) error {
	n, done, err := f.replies.Pass(p.b[p.at:])
	if err != nil {
		err = locate(err, f.pos+int64(p.at)-f.replies.seen)
	}
	f.replies.seen += int64(n)
	p.at += n
	f.inReply = !done
	if !done && err == nil && p.at < len(p.b) {
		f.begin(p, inPush, true)
	}
	return err
}

// begin begins a frame that is scanned as a whole.
func (f *filter) begin(p *piece, s state, nested bool) {
	f.state, f.nested, p.start = s, nested, p.at
}

// attributes scans attributes until they are known to be those of a push or of
// a reply.
func (f *filter) attributes(p *piece) error {
	n, done, err := f.frames.ScanType(p.b[p.at:])
	if err != nil {
		// No limit applies to the type byte of a reply, so err is about the
		// attributes or a push.
		_, over := err.(*parser.LimitError)
		if over && f.frames.Type() == parser.TypePush && f.skipOversize {
			return f.skipBegun(p)
		}
		return locate(err, f.pos+int64(p.at)-f.frames.seen)
	}
	f.frames.seen += int64(n)
	p.at += n
	switch f.frames.Type() {
	case 0:
		return nil
	case parser.TypePush:
		f.state = inPush
		if done {
			f.end(p)
		}
		return nil
	}
	f.state = inReplies
	f.frames.Reset()
	f.frames.seen = 0
	if f.held == nil {
		p.at = p.start
		return f.pass(p)
	}
	return f.passHeld(p)
}

// passHeld is pass for attributes that began in an earlier piece. The bytes of
// them that stay join the backlog.
func (f *filter) passHeld(p *piece) error {
	f.hold(p.b[:p.at])
	b := f.taken()
	head, pos := piece{b: b.B}, f.pos
	f.pos += int64(p.at - len(b.B))
	err := f.pass(&head)
	if err == nil {
		err = f.run(&head)
	} else {
		f.remove(&head, head.at, len(head.b))
	}
	f.pos = pos
	if f.observe {
		bufpool.Put(b)
		return err
	}
	b.B = b.B[:head.kept]
	f.backlog.b, p.from = b, p.at
	return err
}

// push scans a push until it ends.
func (f *filter) push(p *piece) error {
	n, done, err := f.frames.Scan(p.b[p.at:])
	if err != nil {
		if _, over := err.(*parser.LimitError); over && f.skipOversize {
			return f.skipBegun(p)
		}
		return locate(err, f.pos+int64(p.at)-f.frames.seen)
	}
	f.frames.seen += int64(n)
	p.at += n
	if done {
		f.end(p)
	}
	return nil
}

// skipBegun begins to drop the push under way from its first byte. Nothing of
// the push may have been taken out yet.
func (f *filter) skipBegun(p *piece) error {
	f.state, p.at = inOversize, p.start
	f.frames.Reset()
	f.frames.seen = 0
	if f.held == nil {
		return nil
	}
	b := f.taken()
	n, _, err := f.frames.Skip(b.B) // it goes on in p
	if err != nil {
		err = locate(err, f.pos+int64(p.at-len(b.B)))
	}
	f.frames.seen = int64(n)
	bufpool.Put(b)
	return err
}

// skip drops more of the push under way.
func (f *filter) skip(p *piece) error {
	n, done, err := f.frames.Skip(p.b[p.at:])
	if err != nil {
		return locate(err, f.pos+int64(p.at)-f.frames.seen)
	}
	f.frames.seen += int64(n)
	p.at += n
	if done {
		f.state = inReplies
		f.counts.Oversize++
		f.remove(p, p.start, p.at)
	}
	return nil
}

// end ends the scan of the push that ends at p.at.
func (f *filter) end(p *piece) {
	held, b := f.held, p.b[p.start:p.at]
	if held != nil {
		f.hold(b)
		held = f.taken()
		b = held.B
	}
	f.take(p, f.frames.Frame(b), held)
}

// take takes out and delivers a push that ends at p.at, or leaves it in the stream.
// held is its memory, or nil if that is p.
func (f *filter) take(p *piece, push parser.Frame, held *bytebufferpool.ByteBuffer) {
	f.state = inReplies
	if f.keepPubSub && !f.observe && !f.nested && parser.IsPubSub(push.Name()) {
		f.counts.Kept++
		if held != nil {
			f.backlog.b, p.from = held, p.at
		}
		return
	}
	f.remove(p, p.start, p.at)
	f.counts.Pushes++
	if f.nested {
		f.counts.Nested++
	}
	f.deliver(push)
	if held != nil {
		bufpool.Put(held)
	}
}

// locate returns an error of a Scanner with its offset counted in the stream.
// base is the offset in the stream at which the Scanner's count begins.
func locate(err error, base int64) error {
	switch e := err.(type) {
	case *parser.SyntaxError:
		return &parser.SyntaxError{Offset: base + e.Offset, Err: e.Err}
	case *parser.LimitError:
		l := *e
		l.Offset += base
		return &l
	}
	return err
}

// hold copies b, a part of the frame under way, so that it outlives its piece.
func (f *filter) hold(b []byte) {
	if f.held == nil {
		f.held = bufpool.Get(len(b))
	}
	f.held = add(f.held, b)
}

// taken returns the held bytes. The caller must give the buffer back.
func (f *filter) taken() *bytebufferpool.ByteBuffer {
	b := f.held
	f.held = nil
	return b
}

// holds reports whether the frame under way is held rather than passed on as it
// arrives.
func (f *filter) holds() bool { return f.state != inReplies }

// release gives the held bytes back, and forgets the frame under way.
func (f *filter) release() {
	if f.held != nil {
		bufpool.Put(f.taken())
	}
	f.state = inReplies
}
