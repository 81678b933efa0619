package parser

import (
	"os"
	"time"
)

// IsPubSub reports whether name is one of the nine pushes of publish and
// subscribe: message, pmessage, smessage, and the confirmations of subscribing
// and unsubscribing to channels, patterns and sharded channels.
func IsPubSub(name []byte) bool {
	switch string(name) {
	case "message", "pmessage", "smessage",
		"subscribe", "psubscribe", "ssubscribe",
		"unsubscribe", "punsubscribe", "sunsubscribe":
		return true
	}
	return false
}

// IsMessage reports whether name is one of the three pushes that carry a
// published message: message, pmessage and smessage. The other pushes that
// [IsPubSub] knows are confirmations.
func IsMessage(name []byte) bool {
	switch string(name) {
	case "message", "pmessage", "smessage":
		return true
	}
	return false
}

// maxPubSub is the length of the longest name that IsPubSub knows.
const maxPubSub = int64(len("punsubscribe"))

// Driver is the view of a [Reader] for code that takes pushes off it for
// handlers, such as package dispatch or a client's connection. Getting one
// costs nothing. It shares the Reader's state, so calls of both may alternate.
type Driver Reader

// Driver returns r as a Driver.
func (r *Reader) Driver() *Driver { return (*Driver)(r) }

// ID returns a number that tells Readers apart: they are counted as they are made,
// from 1 and modulo 2^32. It is for code that spreads what Readers share, such as
// counters.
func (d *Driver) ID() uint32 { return d.id }

// MayHavePush reports whether the next frame could be a push, judging by what
// is known already. False means that a reply is next. It never reads.
func (d *Driver) MayHavePush() bool {
	r := (*Reader)(d)
	if !r.fresh() {
		return r.mayBePush()
	}
	w := r.win.bytes()
	return len(w) == 0 || w[0] == byte(TypePush) || w[0] == byte(TypeAttribute)
}

// TakeMessages makes the methods that leave the pushes of publish and subscribe
// take the messages among them: message, pmessage and smessage. Only confirmations
// are left then. It is for a connection without a subscription whose client reads
// the replies: there a message is a stray that would pass for a reply.
func (d *Driver) TakeMessages(take bool) { d.messages = take }

// leaves reports whether a push of this name is left when those of publish and
// subscribe are.
func (r *Reader) leaves(name []byte) bool {
	return IsPubSub(name) && !(r.messages && IsMessage(name))
}

// AwaitPush is MayHavePush after the first byte of the next frame has arrived.
// It reads until then, and no further. It also returns false when the
// underlying reader ends, fails or times out first; code that then reads the
// reply meets that error again.
func (d *Driver) AwaitPush() bool {
	r := (*Reader)(d)
	if !r.clean() {
		if !r.fresh() {
			return r.mayBePush()
		}
		r.releaseFrame()
	}
	w := r.win.own() // nothing else is called in nearly every call (BenchmarkProcess/frame=N0)
	if len(w) == 0 {
		w = r.win.first()
	}
	return len(w) > 0 && (w[0] == byte(TypePush) || w[0] == byte(TypeAttribute))
}

// mayBePush is MayHavePush for a frame that has been looked at, or an error
// that the next call has to return.
func (r *Reader) mayBePush() bool {
	if r.lent || r.err != nil || r.claim == skipper {
		return true
	}
	r.resume()
	return r.sc.typ == 0 || r.sc.typ == TypePush // 0 when nothing is begun any more
}

// NextPush takes the next frame if it is a push. With leavePubSub it leaves a
// push whose name [IsPubSub] knows (see also TakeMessages). ok reports whether it
// took one; if ok is false and err is nil, the frame is left where it is. NextPush
// reads until it knows what comes next, and then until a push that it takes is
// complete. Errors are as for [Reader.Next]; after one, [Reader.Pending] tells
// whether a push was being taken.
func (d *Driver) NextPush(leavePubSub bool) (f Frame, ok bool, err error) {
	r := (*Reader)(d)
	if err = r.ready(); err != nil {
		return Frame{}, false, err
	}
	for {
		f, ok, err = r.push(leavePubSub)
		if err != ErrIncomplete {
			return f, ok, err
		}
		if err = r.fill(); err != nil {
			r.pause()
			return Frame{}, false, r.eofInside(err)
		}
	}
}

// LonePush takes the next frame if it is a push that NextPush would take and the
// fast path can read, that is whole, and that no other push or attribute follows
// in what has been received. Otherwise it leaves everything as it is. It never
// reads. It is for callers that take what nearly always comes alone, without what
// a run of pushes would share (BenchmarkPushAlone).
func (d *Driver) LonePush(leavePubSub bool) (f Frame, ok bool) {
	r := (*Reader)(d)
	if !r.clean() {
		return Frame{}, false
	}
	w := r.win.bytes()
	f, n := r.shortPush(w, leavePubSub)
	if n == 0 || n < len(w) && (w[n] == byte(TypePush) || w[n] == byte(TypeAttribute)) {
		return Frame{}, false
	}
	r.passed(n)
	return f, true
}

// Burst is what the pushes of one stream that have been received together
// share. [Driver.NextBuffered] uses it to take each of them in less time. The
// zero value is ready to use.
//
// Invariant: if head.compare is set, head is that of the push taken last, whose
// name is not one that is left at times. lent says that the Reader is lent for
// that push.
type Burst struct {
	head shortHead
	lent bool
}

// NextBuffered takes the next push that NextPush would take from what has been
// received. It never reads. ok reports whether it took one. The Reader is then
// lent (see Lend) until the next call with b, or until Reclaim, after which a new
// Burst is needed. again says that the push has the name of the one that the last
// call with b took; it may be false even so. All calls with b have the same
// leavePubSub.
//
// If ok is false, err is nil when the next frame is not such a push. It is
// [ErrIncomplete] when more bytes are needed to tell what comes next or to
// complete a push; the next call goes on where this one stopped. An incomplete
// frame that is or may be a push is moved out of the buffer of a [Source] when
// it fills it, to make room for the rest.
func (d *Driver) NextBuffered(b *Burst, leavePubSub bool) (f Frame, again, ok bool, err error) {
	r := (*Reader)(d)
	if b.lent {
		b.lent, r.lent = false, false
	}
	if r.clean() && r.sc.plainOK && !r.quirk {
		w := r.win.own() // a call less for nearly every push (BenchmarkProcess/frame=F1)
		if r.win.shared() {
			w = r.win.bytes()
		}
		again = b.head.opens(w)
		if again || b.head.read(w) && !(leavePubSub && r.leavesHead(&b.head, w)) {
			if n := b.head.elements(w); n > 0 && n <= r.sc.lim.MaxFrame {
				r.passed(n)
				b.lent, r.lent = true, true
				return Frame{w[:n:n], b.head.meta}, again, true, nil
			}
		}
	}
	f, ok, err = r.nextBuffered(leavePubSub)
	b.head.compare = false
	if b.lent = ok; ok {
		r.lent = true
	}
	return f, false, ok, err
}

// leavesHead is leaves for the name in h, the head of w. A name of publish and
// subscribe is looked at each time, since a handler may call TakeMessages.
func (r *Reader) leavesHead(h *shortHead, w []byte) bool {
	name := w[h.meta.nameAt():h.meta.nameEnd()]
	if IsPubSub(name) {
		h.compare = false
	}
	return r.leaves(name)
}

// nextBuffered is NextBuffered for any push.
func (r *Reader) nextBuffered(leavePubSub bool) (f Frame, ok bool, err error) {
	if !r.clean() {
		if r.claim == skipper && !r.lent && r.err == nil {
			if err := r.skipBuffered(); err != nil {
				return Frame{}, false, err
			}
		}
		if err := r.ready(); err != nil {
			return Frame{}, false, err
		}
	}
	if f, ok, err = r.push(leavePubSub); ok {
		return f, true, nil
	}
	return Frame{}, false, r.waits(err)
}

// waits ends a call of NextBuffered. When a frame is not whole, it makes room
// for the rest and prepares for the next call.
func (r *Reader) waits(err error) error {
	if err == ErrIncomplete {
		if r.scanned > 0 && r.win.full() {
			r.spillScanned()
		}
		r.pause()
	}
	return err
}

// passed consumes a frame of n bytes that the Scanner has not scanned.
func (r *Reader) passed(n int) {
	r.win.discard(n)
	r.sc.pos += int64(n)
	r.sc.start = r.sc.pos
}

// push takes the next frame from the bytes received if it is a wanted push.
func (r *Reader) push(leavePubSub bool) (f Frame, ok bool, err error) {
	u := untilEnd
	if !r.begun() {
		w := r.win.bytes()
		if len(w) == 0 {
			return Frame{}, false, ErrIncomplete
		}
		if Type(w[0]) != TypePush {
			if Type(w[0]) != TypeAttribute {
				return Frame{}, false, nil
			}
			u = untilName // a reply's attributes: do not look at the reply
		} else if f, n := r.shortPush(w, leavePubSub); n > 0 {
			r.passed(n)
			return f, true, nil
		}
	} else if r.sc.typ == 0 {
		u = untilName
	}
	done, err := r.scan(u)
	if u == untilName && err == nil && !done && r.sc.typ == TypePush {
		done, err = r.scan(untilEnd)
	}
	switch {
	case r.sc.typ != 0 && r.sc.typ != TypePush, leavePubSub && r.namesPubSub():
		r.claim = unclaimed
		r.unpeek()
		return Frame{}, false, nil
	case err != nil:
		return Frame{}, false, r.fail(err)
	case done:
		return r.take(), true, nil
	case r.sc.typ == TypePush && (!leavePubSub || r.sc.naming >= nameKnown):
		r.claim = taker
	}
	return Frame{}, false, ErrIncomplete
}

// shortPush returns the push at the start of w and its length if the push is
// plain, short, whole and wanted. Otherwise n is 0.
func (r *Reader) shortPush(w []byte, leavePubSub bool) (f Frame, n int) {
	if !r.sc.plainOK || r.quirk {
		return Frame{}, 0
	}
	f, n = shortPush(w)
	if n > r.sc.lim.MaxFrame || n > 0 && leavePubSub && r.leaves(f.Name()) {
		return Frame{}, 0
	}
	return f, n
}

// namesPubSub reports whether the name of the frame under way is known and is
// that of a publish and subscribe push that is left.
func (r *Reader) namesPubSub() bool {
	return r.sc.naming >= nameKnown && r.sc.nameEnd-r.sc.nameAt <= maxPubSub && r.leaves(r.pendingName())
}

// Withdraw moves the received part of the frame being taken out of the [Source],
// so that the next reader of the Source finds none of it and there is room for
// the rest. It reports whether a frame is being taken: a push that a method that
// takes pushes has seen enough of to know that it is wanted, a frame of any type
// that [Reader.Next] has begun, or one that is being dropped, and whose end has
// not been seen. The next call of such a method goes on with it.
func (d *Driver) Withdraw() bool {
	r := (*Reader)(d)
	if !r.win.shared() || r.lent || r.err != nil {
		return false
	}
	if r.claim == skipper {
		// The frame is dropped as it arrives. After SkipOversize none of it has
		// been.
		return r.skipBuffered() == ErrIncomplete
	}
	r.resume()
	if r.claim != taker || r.whole() {
		return false
	}
	if r.scanned > 0 {
		r.spillScanned()
	}
	return true
}

// Fill waits until there are bytes that no call has looked at. It returns at
// once when there are such bytes. It is for callers that wait between calls of
// NextBuffered. It returns the underlying reader's error when that ends
// first.
func (d *Driver) Fill() error {
	r := (*Reader)(d)
	if r.clean() {
		if r.win.len() > 0 {
			return nil
		}
		return r.win.more()
	}
	if err := r.ready(); err != nil {
		return err
	}
	if r.whole() || r.win.len() > r.scanned {
		return nil
	}
	err := r.fill()
	r.pause()
	return r.eofInside(err)
}

// Rest gives a large buffer of the Reader's own back if it is empty and the last
// read has not filled it. It is for callers that are about to wait, perhaps for
// long, on one of many connections. The next read then begins small, and takes
// one more if much arrives. While that happens again and again, Rest gives the
// buffer back less often.
func (d *Driver) Rest() {
	if r := (*Reader)(d); r.clean() {
		r.win.rest()
	}
}

// SetReadDeadline sets the read deadline of the underlying reader or Source. It
// returns os.ErrNoDeadline when that does not support one. It may be called
// while another goroutine uses the Reader, but not during Reset or Release.
func (d *Driver) SetReadDeadline(t time.Time) error {
	if c, ok := d.win.origin().(interface{ SetReadDeadline(time.Time) error }); ok {
		return c.SetReadDeadline(t)
	}
	return os.ErrNoDeadline
}

// Lend marks the frame returned last as lent to a handler. Until Reclaim, every
// use of the Reader that could invalidate the frame fails with [ErrReentrant].
func (d *Driver) Lend() { d.lent = true }

// Lent reports whether the Reader is lent.
func (d *Driver) Lent() bool { return d.lent }

// Reclaim ends Lend.
func (d *Driver) Reclaim() { d.lent = false }
