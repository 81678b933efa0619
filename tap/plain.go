package tap

import "encoding/binary"

// crlf is CR LF, and ok is a +OK reply, as little-endian numbers.
const (
	crlf = '\r' | '\n'<<8
	ok   = '+' | 'O'<<8 | 'K'<<16 | crlf<<24
)

// plain returns how many bytes at the start of b are whole replies of the kinds
// that most are of: bulk strings of up to 9999 bytes, and +OK. It spares them the
// Scanner, which costs a small reply four times as much and more
// (BenchmarkTap/conn=memory/reply=64B); whatever else there is, or is not whole,
// is left to that.
func plain(b []byte) int {
	// Bulk strings tend to be as long as the one before. To compare the header with
	// that, and not wait for what it says, lets the processor look at several
	// replies at once (same benchmark).
	var head, mask uint64 // the last header, and which bytes of a load it has
	size := 0             // of what it heads
	i := 0
	for len(b)-i >= 8 {
		// One load covers the longest header read here, and one bounds check.
		w := binary.LittleEndian.Uint64(b[i : i+8])
		if w&(1<<40-1) == ok {
			i += 5
			continue
		}
		if size == 0 || w&mask != head {
			if head, mask, size = plainHead(w); size == 0 {
				break
			}
		}
		end := i + size
		if end > len(b) || binary.LittleEndian.Uint16(b[end-2:]) != crlf {
			break
		}
		i = end
	}
	return i
}

// plainHead reads the header of a bulk string in w, its first 8 bytes. size is how
// long all of it is, 0 when it is not that plain.
func plainHead(w uint64) (head, mask uint64, size int) {
	if byte(w) != '$' {
		return 0, 0, 0
	}
	n := 0
	for body := 1; body <= 4; body++ {
		d := w>>(8*body)&0xff - '0'
		if d > 9 || body == 2 && n == 0 { // no leading zeros
			break
		}
		n = n*10 + int(d)
		if w>>(8*body+8)&0xffff == crlf {
			mask = 1<<(8*body+24) - 1
			return w & mask, mask, body + 3 + n + 2
		}
	}
	return 0, 0, 0
}
