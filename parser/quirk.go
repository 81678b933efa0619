package parser

import "bytes"

// brokenRedir is the beginning of the push with which Redis 6.0.9 and 6.0.10
// tell a client that the connection its invalidations are redirected to is
// gone. They announce three elements and send two.
const brokenRedir = ">3\r\n$21\r\ntracking-redir-broken"

// WithTrackingRedirBrokenQuirk makes the Reader take the tracking-redir-broken
// push as Redis 6.0.9 and 6.0.10 send it: announced as three elements, with the
// third never sent. Without the option, the Reader takes the frame after such a
// push for its third element. With it, a push that is sent correctly, as two
// elements, is read as usual. The Reader corrects the announced count to two in
// the buffer, even in that of a [Source], so that Frame.Raw is what the server
// should have sent. The option is only for connections to those servers, as it
// slows other pushes down.
func WithTrackingRedirBrokenQuirk() Option { return func(r *Reader) { r.quirk = true } }

// mend corrects the announced count of the push under way, which has been
// scanned exactly up to the end of its name.
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

// mayMend reports whether the scanned bytes of the frame under way have to be
// kept, because mend may need them.
func (r *Reader) mayMend() bool {
	return r.quirk && r.scanned < len(brokenRedir) && !r.sc.reached(untilName) &&
		bytes.HasPrefix([]byte(brokenRedir), r.bytes())
}
