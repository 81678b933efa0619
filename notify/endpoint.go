package notify

import (
	"bytes"
	"math"
	"strconv"
)

// Endpoint is the address of a server: a name or an IP address, and a port. It
// is borrowed from what it was parsed from. The zero Endpoint is none.
type Endpoint struct {
	Host []byte // without brackets
	Port uint16
}

// ParseEndpoint splits host:port at its last colon, so that an IPv6 address may
// stand there with brackets around it or without. ok is false for a text without a
// host, or without a port of at most 65535. The Endpoint borrows text; nothing is
// allocated.
func ParseEndpoint(text []byte) (e Endpoint, ok bool) {
	colon, port, unit := len(text)-1, 0, 1
	for ; colon > 0 && text[colon]-'0' <= 9; colon-- {
		if unit > 1e4 {
			return Endpoint{}, false // more than five digits
		}
		port += int(text[colon]-'0') * unit
		unit *= 10
	}
	if colon < 1 || text[colon] != ':' || unit == 1 || port > math.MaxUint16 {
		return Endpoint{}, false
	}
	host := text[:colon:colon]
	if last := len(host) - 1; last > 1 && host[0] == '[' && host[last] == ']' {
		host = host[1:last:last]
	}
	for _, c := range host {
		if (c-'[')&^(']'-'[') == 0 { // one comparison for both brackets
			return Endpoint{}, false
		}
	}
	return Endpoint{host, uint16(port)}, true
}

// IsZero reports whether e is the zero Endpoint.
func (e Endpoint) IsZero() bool { return e.Host == nil && e.Port == 0 }

// String returns e in the form that net.Dial takes, an IPv6 address in brackets.
// Its host is as the server sent it, whatever that holds.
func (e Endpoint) String() string { return string(e.appendText(nil)) }

func (e Endpoint) appendText(dst []byte) []byte {
	if bytes.IndexByte(e.Host, ':') >= 0 {
		dst = append(dst, '[')
		dst = append(dst, e.Host...)
		dst = append(dst, ']')
	} else {
		dst = append(dst, e.Host...)
	}
	return strconv.AppendUint(append(dst, ':'), uint64(e.Port), 10)
}

// cutNumber reads the decimal digits that b begins with, a number of at most
// most, and returns what is behind them. ok is false when there are none, more
// than five, or the number is larger.
func cutNumber(b []byte, most int) (n int, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 5 && b[i]-'0' <= 9; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n, b[i:], i > 0 && n <= most
}
