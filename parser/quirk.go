package parser

import "bytes"

// brokenRedir is how Redis 6.0.9 and 6.0.10 begin the push that tells a client
// that the connection its invalidations are redirected to is gone. They announce
// three elements and send two.
const brokenRedir = ">3\r\n$21\r\ntracking-redir-broken"

// WithTrackingRedirBrokenQuirk makes the Reader take the tracking-redir-broken
// push as Redis 6.0.9 and 6.0.10 send it: announced as three elements, with the
// third never sent. Without it such a push takes the frame that follows it for
// its third element; with it a push that other servers send right, as two
// elements, is read as ever. The announced count is corrected to two in the
// buffer, that of a [Source] too, so that Frame.Raw is what the server should
// have sent. Meant for connections to those servers alone: it costs other pushes
// some of their speed.
func WithTrackingRedirBrokenQuirk() Option { return func(r *Reader) { r.quirk = true } }

// mend corrects the announced count of the push under way, of which the name has
// been scanned and nothing behind it.
func (r *Reader) mend() {
	if r.sc.typ != TypePush || r.sc.naming != nameKnown || r.sc.depth != 1 {
		return
	}
	if b := r.bytes(); bytes.HasPrefix(b, []byte(brokenRedir)) {
		b[1]--
		r.sc.cur.rem--
		r.sc.elements--
	}
}

// mayMend reports whether what has been scanned of the frame under way has to be
// kept, because mend may need it.
func (r *Reader) mayMend() bool {
	return r.quirk && r.scanned < len(brokenRedir) && !r.sc.reached(untilName) &&
		bytes.HasPrefix([]byte(brokenRedir), r.bytes())
}
