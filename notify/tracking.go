package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// TrackingRedirBroken is a tracking-redir-broken push: the connection that the
// invalidations of this one are redirected to is gone, so that what is cached
// can no longer be trusted. It owns its memory.
type TrackingRedirBroken struct {
	ClientID int64 // of the connection that is gone
}

// ParseTrackingRedirBroken returns the broken redirection that push is, a client
// ID. Anything else is a [*ShapeError]. It does not allocate but for that.
//
// Redis 6.0.9 and 6.0.10 announce a third element and never send it: to a reader
// that does not know of this, the next frame is that element.
func ParseTrackingRedirBroken(push parser.Frame) (TrackingRedirBroken, error) {
	if string(push.Name()) != NameTrackingRedirBroken {
		return TrackingRedirBroken{}, errFamily(push, FamilyTrackingRedirBroken)
	}
	d := decoder{family: FamilyTrackingRedirBroken, push: NameTrackingRedirBroken}
	d.read(push, 2, 2)
	t := TrackingRedirBroken{d.integer(1)}
	if d.err != nil {
		return TrackingRedirBroken{}, d.err
	}
	return t, nil
}

// String returns t in words on one line.
func (t TrackingRedirBroken) String() string { return string(t.appendLine(nil)) }

func (t TrackingRedirBroken) appendLine(dst []byte) []byte {
	dst = append(append(dst, NameTrackingRedirBroken...), gap+"client "...)
	return append(strconv.AppendInt(dst, t.ClientID, 10), " is gone"...)
}
