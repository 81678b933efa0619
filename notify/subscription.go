package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// Subscription is the confirmation that a subscription to a channel or pattern
// has begun or ended. A server sends one for each channel and pattern, in place
// of a reply to the command. It also sends sunsubscribe of its own accord when
// it gives up the slot of a sharded channel. A Subscription is borrowed from
// the frame it was parsed from.
type Subscription struct {
	Kind    Name   // one of the six from NameSubscribe to NameSUnsubscribe
	Channel []byte // the channel or pattern; nil if there was no subscription to end
	Count   int64  // subscriptions that the connection has now: to channels and patterns, or to sharded channels
}

// ParseSubscription parses the confirmation of a subscription. The elements
// after the name are a channel or pattern and an integer. The channel may be a
// null if the subscription ends. ParseSubscription returns a [*ShapeError] for
// any other frame, and allocates only for that.
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

// Ends reports whether s confirms the end of a subscription.
func (s Subscription) Ends() bool {
	return s.Kind == NameUnsubscribe || s.Kind == NamePUnsubscribe || s.Kind == NameSUnsubscribe
}

// String returns a description of the confirmation on one line.
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
