package parser

import (
	"bufio"
	"io"
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

// maxPubSub is the length of the longest name that IsPubSub knows.
const maxPubSub = int64(len("punsubscribe"))

// The methods here are for code that drives a Reader on behalf of handlers, as
// package dispatch does.

// MayHavePush reports whether the next frame could be a push, from what can be
// told at once: false means that a reply is next. It never reads.
func (r *Reader) MayHavePush() bool {
	if !r.idle || r.lent {
		if !r.fresh() {
			return r.sc.typ == 0 || r.sc.typ == TypePush || r.sc.skip || r.lent || r.err != nil
		}
		r.idle = !r.given
	}
	w := r.window()
	return len(w) == 0 || w[0] == byte(TypePush) || w[0] == byte(TypeAttribute)
}

// fresh reports whether the next frame has not been looked at, and nothing
// stands in the way of doing so.
func (r *Reader) fresh() bool {
	return !r.sc.begun() && !r.whole && !r.sc.skip && !r.lent && r.err == nil
}

// NextPush takes the next frame if it is a push, and with leavePubSub unless
// [IsPubSub] knows its name. ok reports whether it did; if not, and err is nil,
// the frame is left where it is. NextPush reads until it knows what comes next,
// and then, for a push that it takes, until that is complete. Errors are as for
// [Reader.Next]; after one, Pending tells whether a push was being taken.
func (r *Reader) NextPush(leavePubSub bool) (f Frame, ok bool, err error) {
	if err = r.ready(); err != nil {
		return Frame{}, false, err
	}
	for {
		f, ok, err = r.push(leavePubSub)
		if err != ErrIncomplete {
			return f, ok, err
		}
		if err = r.fill(); err != nil {
			return Frame{}, false, r.cut(err)
		}
	}
}

// BufferedPush is NextPush for what has been received: it never reads. It
// returns [ErrIncomplete] when more bytes are needed to tell what comes next, or
// to complete a push; called again when there are more it goes on where it
// stopped. A push, or what may be one, that fills the buffer of a [Source]
// without an end is moved out of it, to make room for the rest.
func (r *Reader) BufferedPush(leavePubSub bool) (f Frame, ok bool, err error) {
	if r.sc.skip && !r.lent && r.err == nil {
		if err = r.skipBuffered(); err != nil {
			return Frame{}, false, err
		}
	}
	if err = r.ready(); err != nil {
		return Frame{}, false, err
	}
	f, ok, err = r.push(leavePubSub)
	if err == ErrIncomplete && r.full() {
		w := r.window()
		r.move(w)
		r.advance(len(w))
	}
	return f, ok, err
}

// BufferedPushes calls handle for each push that BufferedPush would take, the
// Reader being lent meanwhile (see Lend), until handle returns false. again says
// that the push has the name of the one before it in the same call; it may be
// false for one that has. The result is nil when handle has returned false or
// something else is next, and otherwise the error that ended it. It is the faster
// way to take many. When handle panics, the push has been taken and the Reader is
// still lent.
func (r *Reader) BufferedPushes(leavePubSub bool, handle func(f Frame, again bool) (more bool)) error {
	for {
		if r.idle && !r.lent && !r.shortPushes(leavePubSub, handle) {
			return nil
		}
		f, ok, err := r.BufferedPush(leavePubSub)
		if !ok {
			return err
		}
		r.lent = true
		more := handle(f, false)
		r.lent = false
		if !more {
			return nil
		}
	}
}

// shortPushes does what BufferedPushes does, for pushes that are short and plain,
// as long as they follow one another, and reports whether handle would have more.
func (r *Reader) shortPushes(leavePubSub bool, handle func(f Frame, again bool) (more bool)) (more bool) {
	var head shortHead
	for w := r.plainWindow(); ; {
		again := head.opens(w)
		if !again && (!head.read(w) || leavePubSub && IsPubSub(w[head.meta.nameAt():head.meta.nameEnd()])) {
			return true
		}
		n := head.elements(w)
		if n == 0 {
			return true
		}
		f := Frame{w[:n:n], head.meta}
		w = w[n:]
		r.passed(n)
		r.lent = true
		more = handle(f, again)
		r.lent = false
		left := r.w - r.r
		if r.src != nil {
			left = r.src.Buffered()
		}
		if !more || !r.idle || left != len(w) {
			return more // or the handler has used the Reader, or the Source
		}
	}
}

// plainWindow returns what the fast path may look at, up to the largest frame.
func (r *Reader) plainWindow() []byte {
	if !r.sc.plainOK || r.quirk {
		return nil
	}
	w := r.window()
	return w[:min(len(w), r.sc.lim.MaxFrame)]
}

// passed takes a frame of n bytes that the Scanner has not seen off the window.
func (r *Reader) passed(n int) {
	r.advance(n)
	r.sc.pos += int64(n)
	r.sc.start = r.sc.pos
}

// push takes the next frame from what has been received if it is a push that
// is wanted.
func (r *Reader) push(leavePubSub bool) (f Frame, ok bool, err error) {
	u := untilEnd
	if !r.sc.begun() && !r.whole {
		w := r.window()
		if len(w) == 0 {
			r.idle = true
			return Frame{}, false, ErrIncomplete
		}
		if Type(w[0]) != TypePush {
			if Type(w[0]) != TypeAttribute {
				r.idle = true
				return Frame{}, false, nil
			}
			u = untilName // a reply's attributes: do not look at the reply
		} else if f, n := shortPush(r.plainWindow()); n > 0 && !(leavePubSub && IsPubSub(f.Name())) {
			r.idle = true
			r.passed(n)
			return f, true, nil
		}
	} else if r.sc.typ == 0 {
		u = untilName
	}
	r.idle = false
	done, err := r.scan(u)
	if u == untilName && err == nil && !done && r.sc.typ == TypePush {
		done, err = r.scan(untilEnd)
	}
	switch {
	case r.sc.typ != 0 && r.sc.typ != TypePush,
		leavePubSub && r.sc.naming >= nameKnown && r.sc.nameEnd-r.sc.nameAt <= maxPubSub && IsPubSub(r.pendingName()):
		r.whole, r.taking = done, false
		r.forget()
		return Frame{}, false, nil
	case err != nil:
		return Frame{}, false, r.fail(err)
	case done:
		return r.take(), true, nil
	}
	r.taking = r.sc.typ == TypePush && (!leavePubSub || r.sc.naming >= nameKnown)
	return Frame{}, false, ErrIncomplete
}

// full reports whether the Source has no room for more.
func (r *Reader) full() bool {
	s, ok := r.src.(interface{ Size() int })
	return ok && r.src.Buffered() >= s.Size()
}

// Withdraw moves what has come of the push that is being taken out of the
// [Source], so that whoever reads there next finds none of it, and there is room
// for the rest. It reports whether a push is being taken: one of which the
// beginning, as far as it takes to know that it is wanted, has been seen by a
// method that takes pushes, and the end has not. A further call of such a method
// goes on with it.
func (r *Reader) Withdraw() bool {
	switch {
	case r.src == nil || r.lent || r.err != nil || r.whole:
		return false
	case r.sc.skip:
		// Dropped as it comes; after SkipOversize nothing has been yet.
		return r.skipBuffered() == ErrIncomplete
	case r.scanned > r.src.Buffered():
		return false // the client has read what was the Reader's; see ready
	case !r.taking:
		return false
	}
	if n := r.scanned; n > 0 {
		r.move(r.window()[:n])
		r.advance(n)
	}
	return true
}

// Fill waits until there are bytes that no call has looked at, and returns at
// once when there are; it is for callers that wait between calls of
// BufferedPush. It returns the error of the underlying reader when that ends
// first. A [Source] that is full is left as it is.
func (r *Reader) Fill() error {
	seen, begun := r.scanned, r.sc.begun() // which ready may forget
	if r.sc.skip {
		seen, begun = 0, false
	}
	if err := r.ready(); err != nil {
		return err
	}
	if r.src == nil {
		if r.whole || len(r.window()) > r.scanned {
			return nil
		}
		return r.cut(r.fill())
	}
	n := r.src.Buffered()
	if r.whole || n > 0 && n != seen {
		return nil
	}
	b, err := r.src.Peek(n + 1)
	if len(b) > n || err == bufio.ErrBufferFull {
		return nil
	}
	if err == io.EOF && begun {
		return io.ErrUnexpectedEOF
	}
	return r.cut(err)
}

// Lend marks the frame handed out last as being in the hands of a handler:
// until Reclaim every use of the Reader that could invalidate the frame is
// refused with [ErrReentrant].
func (r *Reader) Lend() { r.lent = true }

// Lent reports whether the Reader is lent.
func (r *Reader) Lent() bool { return r.lent }

// Reclaim ends Lend.
func (r *Reader) Reclaim() { r.lent = false }
