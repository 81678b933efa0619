package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// TrackingRedirBroken is a tracking-redir-broken push. With CLIENT TRACKING
// REDIRECT, the invalidations of this connection, the source, go to another,
// the target. The push tells the source that the target has gone, so a cache
// can no longer be trusted. A server may send it only when it has an
// invalidation for the target. A TrackingRedirBroken does not refer to the
// frame it was parsed from.
//
// The reverse has no push: the server tells the target nothing when the source
// goes, and stops tracking keys for it. A client must watch the source itself
// and empty its cache when the source ends.
type TrackingRedirBroken struct {
	ClientID int64 // the client ID of the target
}

// ParseTrackingRedirBroken parses a tracking-redir-broken push. Its one element
// after the name is a client ID. ParseTrackingRedirBroken returns a
// [*ShapeError] for any other frame, and allocates only for that.
//
// Redis 6.0.9 and 6.0.10 announce a third element and never send it. A Reader
// then takes the next frame for that element, unless it has the option
// parser.WithTrackingRedirBrokenQuirk.
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

// String returns a description of t on one line.
func (t TrackingRedirBroken) String() string { return string(t.appendLine(nil)) }

func (t TrackingRedirBroken) appendLine(dst []byte) []byte {
	dst = append(append(dst, NameTrackingRedirBroken...), gap+"client "...)
	return append(strconv.AppendInt(dst, t.ClientID, 10), " is gone"...)
}
