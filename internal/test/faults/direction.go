package faults

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// chunk is the most bytes that are forwarded at a time.
const chunk = 32 << 10

// A Direction carries bytes one way and applies faults to them. The faults
// combine: a delayed chunk still waits while the direction is paused.
type Direction struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below changes
	paused  bool
	drop    bool
	delay   time.Duration
	piece   int           // the most bytes in one write; 0 means as they come
	left    int           // bytes to pass on before the cut
	cut     chan struct{} // closed when the cut has been made; nil if no cut is due
	held    int           // bytes that have been read but not written
	passed  int
	dropped int
}

// Pause holds the bytes of this direction. It also holds the ends of
// connections, so they stay up. A sender blocks once the buffers on the way are
// full. Bytes that were sent before Pause may still pass.
func (d *Direction) Pause() { d.set(func() { d.paused = true }) }

// Resume passes on the bytes that Pause has held.
func (d *Direction) Resume() { d.set(func() { d.paused = false }) }

// Drop sets whether the bytes of this direction are dropped. While they are,
// the end of a connection is not passed on either.
func (d *Direction) Drop(drop bool) { d.set(func() { d.drop = drop }) }

// Delay makes each chunk that is read from now on wait for delay. Chunks wait
// one after the other.
func (d *Direction) Delay(delay time.Duration) { d.set(func() { d.delay = delay }) }

// Pieces makes the proxy write at most n bytes at once, or as they come if n is 0.
func (d *Direction) Pieces(n int) { d.set(func() { d.piece = n }) }

// CutAfter counts the bytes passed on from now on, and closes the connection
// that carries byte n, on both sides and right after that byte. It does so
// once. The returned channel is closed when it has happened.
func (d *Direction) CutAfter(n int) <-chan struct{} {
	cut := make(chan struct{})
	d.set(func() { d.left, d.cut = n, cut })
	return cut
}

// Passed returns how many bytes have been passed on.
func (d *Direction) Passed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passed
}

// WaitPassed waits until at least n bytes have been passed on.
func (d *Direction) WaitPassed(tb testing.TB, n int) {
	tb.Helper()
	wait(tb, &d.mu, &d.changed, fmt.Sprintf("%d bytes to pass", n), func() bool { return d.passed >= n })
}

// WaitDropped waits until at least n bytes have been dropped.
func (d *Direction) WaitDropped(tb testing.TB, n int) {
	tb.Helper()
	wait(tb, &d.mu, &d.changed, fmt.Sprintf("%d bytes to be dropped", n), func() bool { return d.dropped >= n })
}

// WaitHeld waits until Pause or Delay holds at least n bytes. The proxy itself
// holds at most 32 KiB of each connection; the rest stays in the system's
// buffers.
func (d *Direction) WaitHeld(tb testing.TB, n int) {
	tb.Helper()
	wait(tb, &d.mu, &d.changed, fmt.Sprintf("%d bytes to be held", n), func() bool { return d.held >= n })
}

func (d *Direction) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	announce(&d.changed)
}

// pump forwards from src to dst until either ends.
func (d *Direction) pump(l *link, dst, src net.Conn) {
	buf := make([]byte, chunk)
	for {
		n, err := src.Read(buf)
		if n > 0 && !d.forward(l, dst, buf[:n]) {
			l.close()
			return
		}
		if err == nil {
			continue
		}
		ok := d.await(l, func() bool { return !d.paused && !d.drop })
		half, can := dst.(interface{ CloseWrite() error })
		if !ok || !can || half.CloseWrite() != nil {
			l.close()
		}
		return
	}
}

// forward passes b on, subject to the faults of d. It returns false when the
// link has ended.
func (d *Direction) forward(l *link, dst net.Conn, b []byte) bool {
	d.set(func() { d.held += len(b) })
	defer d.set(func() { d.held -= len(b) })
	d.mu.Lock()
	delay := d.delay
	d.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.done:
			return false
		}
	}
	var cut chan struct{}
	drop := false
	ok := d.await(l, func() bool {
		switch {
		case d.paused:
			return false
		case d.drop:
			drop = true
			d.dropped += len(b)
			announce(&d.changed)
		case d.cut != nil && d.left <= len(b):
			b, cut, d.cut = b[:d.left], d.cut, nil
		case d.cut != nil:
			d.left -= len(b)
		}
		return true
	})
	if !ok || drop {
		return ok
	}
	n, err := d.write(dst, b)
	d.set(func() { d.passed += n })
	if cut != nil {
		l.close()
		close(cut)
		return false
	}
	return err == nil
}

// write writes b in pieces.
func (d *Direction) write(dst net.Conn, b []byte) (written int, err error) {
	d.mu.Lock()
	piece := d.piece
	d.mu.Unlock()
	if piece == 0 {
		return dst.Write(b)
	}
	for written < len(b) && err == nil {
		var n int
		n, err = dst.Write(b[written:min(written+piece, len(b))])
		written += n
	}
	return written, err
}

// await waits until done returns true. It calls done under the lock. It returns
// false if the link ends first.
func (d *Direction) await(l *link, done func() bool) bool {
	for {
		d.mu.Lock()
		ok, next := done(), d.changed
		d.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-next:
		case <-l.done:
			return false
		}
	}
}
