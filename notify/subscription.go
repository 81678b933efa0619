package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// Subscription is the confirmation of a subscription or its end: one for each
// channel or pattern, and no reply beside it. A server sends sunsubscribe unasked
// when it gives up the slot of a sharded channel. It is borrowed from the frame
// it was parsed from.
type Subscription struct {
	Kind    Name   // one of the six from NameSubscribe to NameSUnsubscribe
	Channel []byte // the channel, or pattern; nil when nothing was subscribed that could be ended
	Count   int64  // what the connection is subscribed to now: channels and patterns, or sharded channels
}

// ParseSubscription returns the confirmation that push is: a channel and a
// number. Where something ends the channel may be null. Anything else is a
// [*ShapeError]. It does not allocate but for that.
func ParseSubscription(push parser.Frame) (Subscription, error) {
	kind, family := lookup(push.Name())
	if family != FamilySubscription {
		return Subscription{}, errFamily(push, FamilySubscription)
	}
	d := decoder{family: FamilySubscription, push: kind}
	d.read(push, 3, 3)
	s := Subscription{Kind: kind}
	if !s.Ends() || !d.arguments[0].IsNull() {
		s.Channel = d.text(1)
	}
	s.Count = d.integer(2)
	if d.err != nil {
		return Subscription{}, d.err
	}
	return s, nil
}

// Ends reports whether s says that a subscription ended.
func (s Subscription) Ends() bool {
	return s.Kind == NameUnsubscribe || s.Kind == NamePUnsubscribe || s.Kind == NameSUnsubscribe
}

// String returns the confirmation in words on one line.
func (s Subscription) String() string { return string(s.appendLine(nil)) }

func (s Subscription) appendLine(dst []byte) []byte {
	noun := "channel"
	switch s.Kind {
	case NamePSubscribe, NamePUnsubscribe:
		noun = "pattern"
	case NameSSubscribe, NameSUnsubscribe:
		noun = "shard channel"
	}
	dst = append(appendName(dst, s.Kind), gap...)
	if s.Channel == nil {
		dst = append(append(dst, "no "...), noun...)
	} else {
		dst = append(append(dst, noun...), ' ')
		dst = appendWord(dst, s.Channel)
	}
	dst = append(dst, gap...)
	dst = strconv.AppendInt(dst, s.Count, 10)
	return append(dst, " subscribed"...)
}
