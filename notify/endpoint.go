package notify

import (
	"bytes"
	"math"
	"strconv"
)

// Endpoint is the address of a server: a host, which is a name or an IP
// address, and a port. It is borrowed from the text that it was parsed from.
// The zero Endpoint means that there is none.
type Endpoint struct {
	Host []byte // without brackets
	Port uint16 // as the server sent it
}

// ParseEndpoint splits text of the form host:port at its last colon, so
// brackets around an IPv6 address are optional. ok is false if text has no
// host, has no port or a port above 65535, or has other brackets. The Endpoint
// borrows from text. ParseEndpoint does not allocate.
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

// String returns e in the form that net.Dial accepts, with brackets around an
// IPv6 address. It does not escape anything in the host that the server sent.
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

// cutNumber parses the decimal number that b begins with, and returns it and
// the rest of b. It reads at most five digits. ok is false if b begins with no
// digit or the number is above most.
func cutNumber(b []byte, most int) (n int, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < 5 && b[i]-'0' <= 9; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n, b[i:], i > 0 && n <= most
}
