package notify

import (
	"github.com/seed79615202/respush/parser"
)

// RedirectChannel is the channel on which a RESP2 connection gets the
// invalidations that another connection has redirected to it. RESP2 has no
// pushes: a server sends them as arrays, and it takes a proxy or a client's own
// translation to make messages of them. See [Message.Invalidation].
const RedirectChannel = "__redis__:invalidate"

// Message is a message, pmessage or smessage push: something was published. It
// is borrowed from the frame it was parsed from.
//
// Invariant: Pattern is not nil only if Kind is NamePMessage.
type Message struct {
	Kind    Name         // NameMessage, NamePMessage or NameSMessage
	Pattern []byte       // the pattern that matched, of a pmessage; nil otherwise
	Channel []byte       // the channel, a sharded one for a smessage
	Payload parser.Value // nearly always a string: see Payload.Bytes
}

// ParseMessage returns the message that push is. Pattern and channel are
// strings, the payload may be of any type. Anything else is a [*ShapeError]. It
// does not allocate but for that.
func ParseMessage(push parser.Frame) (Message, error) {
	if name, e := push.Split(); string(name) == NameMessage && e.Len() == 2 {
		if channel, e, ok := e.NextText(); ok {
			payload, _, _ := e.Next()
			return Message{NameMessage, nil, channel, payload}, nil
		}
	}
	return parseMessage(push)
}

// parseMessage is ParseMessage for all there is.
func parseMessage(push parser.Frame) (Message, error) {
	var m Message
	switch string(push.Name()) {
	case NameMessage:
		m.Kind = NameMessage
	case NamePMessage:
		m.Kind = NamePMessage
	case NameSMessage:
		m.Kind = NameSMessage
	default:
		return Message{}, errFamily(push, FamilyMessage)
	}
	d := decoder{family: FamilyMessage, push: m.Kind}
	at := 1
	if m.Kind == NamePMessage {
		d.read(push, 4, 4)
		m.Pattern = d.text(1)
		at = 2
	} else {
		d.read(push, 3, 3)
	}
	m.Channel = d.text(at)
	m.Payload = d.arguments[at]
	if d.err != nil {
		return Message{}, d.err
	}
	return m, nil
}

// Invalidation returns the invalidation that m carries when it is a message on
// [RedirectChannel] whose payload is one: the keys, or a null. It is borrowed
// like m.
func (m Message) Invalidation() (i Invalidation, ok bool) {
	if m.Kind != NameMessage || string(m.Channel) != RedirectChannel {
		return Invalidation{}, false
	}
	keys, ok := m.Payload.Strings()
	return Invalidation{keys}, ok
}

// String returns the message in words on one line, a long payload cut short.
func (m Message) String() string { return string(m.appendLine(nil)) }

func (m Message) appendLine(dst []byte) []byte {
	dst = appendName(dst, m.Kind)
	switch m.Kind {
	case NamePMessage:
		dst = append(dst, gap+"pattern "...)
		dst = appendWord(dst, m.Pattern)
		dst = append(dst, " channel "...)
	case NameSMessage:
		dst = append(dst, gap+"shard channel "...)
	default:
		dst = append(dst, gap+"channel "...)
	}
	dst = appendWord(dst, m.Channel)
	if i, ok := m.Invalidation(); ok {
		return i.appendWords(dst)
	}
	dst = append(dst, gap...)
	if isText(m.Payload) {
		return appendText(dst, m.Payload.Bytes())
	}
	return appendValue(dst, m.Payload, 0)
}
