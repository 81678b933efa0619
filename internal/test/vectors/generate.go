package vectors

import "strconv"

// MaxGenerated is the approximate limit of what [Generate] appends, in bytes.
const MaxGenerated = 4 << 10

// Generate appends the frames that script encodes to dst and returns the
// result. Every script encodes one to four frames. They can be of any type, and
// can hold streamed values, attributes and nested pushes; now and then they are
// nested deeper than the default MaxDepth. If the first byte of script is below
// 192, all frames are valid. Otherwise a few of their bytes are changed, added
// or removed.
//
// Generate serves fuzzing. Plain mutation of wire bytes seldom keeps the
// lengths right, so it seldom gets past the first of them.
func Generate(dst, script []byte) []byte {
	g := generator{script: script, out: dst, start: len(dst)}
	how := g.next()
	var changes [3]change
	n := 0
	if how >= 192 {
		n = 1 + how%3
	}
	for i := range n {
		changes[i] = change{kind: g.next(), at: g.next()<<8 | g.next(), with: g.next()}
	}
	for range 1 + how>>4&3 {
		g.frame()
	}
	for _, c := range changes[:n] {
		g.apply(c)
	}
	return g.out
}

// A change is one deviation from valid frames.
type change struct{ kind, at, with int }

// A generator reads a script and appends frames to out, beginning at
// out[start].
type generator struct {
	script []byte
	out    []byte
	start  int
	depth  int
}

// next returns the next byte of the script. After its end next returns 0, which
// encodes the shortest value everywhere.
func (g *generator) next() int {
	if len(g.script) == 0 {
		return 0
	}
	b := g.script[0]
	g.script = g.script[1:]
	return int(b)
}

// full reports whether only the shortest values may follow.
func (g *generator) full() bool {
	return len(g.script) == 0 || g.depth > 12 || len(g.out)-g.start > MaxGenerated-256
}

func (g *generator) text(s string) { g.out = append(g.out, s...) }

func (g *generator) header(t byte, n int) {
	g.out = append(strconv.AppendInt(append(g.out, t), int64(n), 10), "\r\n"...)
}

// frame writes a top-level value, now and then with attributes.
func (g *generator) frame() {
	if g.next()&15 == 15 {
		g.attribute()
	}
	g.value(true)
}

// element writes an element of an aggregate. Now and then it writes attributes
// and nested pushes before the value.
func (g *generator) element() {
	if !g.full() {
		switch g.next() & 31 {
		case 1:
			g.push()
		case 2:
			g.attribute()
		case 3:
			g.attribute()
			g.push()
		case 4:
			g.push()
			g.push()
			g.attribute()
		}
	}
	g.value(false)
}

func (g *generator) elements(n int) {
	g.depth++
	for range n {
		g.element()
	}
	g.depth--
}

// count returns a number of elements. It is small, but now and then has two
// digits.
func (g *generator) count() int {
	switch b := g.next(); {
	case b >= 250:
		return b - 240
	default:
		return b % 5
	}
}

func (g *generator) aggregate(t byte, each int) {
	n := g.count()
	g.header(t, n)
	g.elements(n * each)
}

func (g *generator) streamed(t byte, each int) {
	g.text(string(t) + "?\r\n")
	g.elements(g.count() * each)
	if g.next()&15 == 1 && !g.full() {
		g.depth++
		g.push()
		g.depth--
	}
	g.text(".\r\n")
}

func (g *generator) attribute() { g.aggregate('|', 2) }

var pushNames = [...]string{"invalidate", "message", "pmessage", "smessage", "subscribe", "unsubscribe", "MOVING", ""}

func (g *generator) push() {
	b := g.next()
	n := 1 + b>>4&3
	switch {
	case b == 255:
		g.text(">0\r\n")
	case b >= 240:
		g.header('>', n)
		g.elements(n)
	default:
		g.header('>', n)
		name := pushNames[b&7]
		switch b >> 6 {
		case 0, 1:
			g.header('$', len(name))
			g.text(name + "\r\n")
		case 2:
			g.text("+" + name + "\r\n")
		default:
			g.header('=', len(name)+4)
			g.text("txt:" + name + "\r\n")
		}
		g.elements(n - 1)
	}
}

// bulk writes a string of n bytes taken from the script.
func (g *generator) bulk(t byte, n int) {
	g.header(t, n)
	g.bytes(n)
	g.text("\r\n")
}

func (g *generator) bytes(n int) {
	for range n {
		g.out = append(g.out, byte(g.next()))
	}
}

// line writes up to 15 bytes that hold no CR LF. A lone CR or LF is more
// frequent than other bytes.
func (g *generator) line(t byte) {
	g.out = append(g.out, t)
	for range g.next() & 15 {
		c := byte(g.next())
		switch {
		case c >= 248:
			c = '\r'
		case c >= 240:
			c = '\n'
		}
		if c != '\n' || g.out[len(g.out)-1] != '\r' {
			g.out = append(g.out, c)
		}
	}
	g.text("\r\n")
}

// oddTexts are texts that a number or boolean may have on the wire without
// being one.
var oddTexts = [...]string{"", "NaN", "12 34", "1.5", "true", "0x1p3", "nan(0x8000)", "-nan(ind)", "+nan", "18446744073709551616", "-", "\r", "1\n", "inf"}

// odd writes a value of a number or boolean type whose text may not be a number
// or boolean.
func (g *generator) odd(how int) {
	t := ":,(#"[how&3]
	if how&4 == 0 {
		g.line(t)
		return
	}
	g.text(string(t) + oddTexts[g.next()%len(oddTexts)] + "\r\n")
}

func (g *generator) digits(n int) {
	for range n {
		g.out = append(g.out, '0'+byte(g.next()%10))
	}
}

var (
	integers = [...]string{":1", ":-1", ":+7", ":007", ":-0", ":9223372036854775807", ":-9223372036854775808", ":1234567"}
	doubles  = [...]string{",1.5", ",-0", ",inf", ",-inf", ",+inf", ",nan", ",-nan", ",1.", ",1.e5", ",-2E-07", ",1e999", ",00.10", ",12345.678e+3"}
	nulls    = [...]string{"_\r\n", "$-1\r\n", "*-1\r\n"}
)

// value writes a value with its contents. Only a top-level value can be a push.
func (g *generator) value(top bool) {
	if g.full() {
		g.text(":0\r\n")
		return
	}
	switch b := g.next(); b & 31 {
	case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9:
		g.scalar(b)
	case 10, 11:
		g.bulk('$', b>>5)
	case 12:
		g.bulk('$', g.next()&63)
	case 13:
		g.bulk('!', b>>5)
	case 14:
		n := b >> 5
		g.header('=', n+4)
		g.bytes(3)
		g.text(":")
		g.bytes(n)
		g.text("\r\n")
	case 15:
		g.text("$?\r\n")
		for range b >> 5 & 3 {
			g.bulk(';', 1+g.next()&15)
		}
		g.text(";0\r\n")
	case 16, 17, 18:
		g.aggregate('*', 1)
	case 19:
		g.aggregate('~', 1)
	case 20, 21:
		g.aggregate('%', 2)
	case 22:
		g.streamed('*', 1)
	case 23:
		g.streamed('~', 1)
	case 24:
		g.streamed('%', 2)
	case 25, 26, 27:
		if !top {
			g.push()
		}
		g.value(top)
	case 28:
		g.chain(g.next())
	case 29:
		g.long(g.next())
	case 30:
		// A bulk string whose text looks like frames.
		n := min(len(g.script), 40)
		inner := Generate(nil, g.script[:n])
		g.script = g.script[n:]
		inner = inner[:min(len(inner), 300)]
		g.header('$', len(inner))
		g.text(string(inner) + "\r\n")
	default:
		if top {
			g.push()
		} else {
			g.text(integers[b>>5] + "\r\n")
		}
	}
}

// scalar writes a value of one line. The lowest five bits of b, which must be
// below 10, choose it.
func (g *generator) scalar(b int) {
	switch b & 31 {
	case 0:
		g.text(":0\r\n")
	case 1:
		g.text(integers[b>>5] + "\r\n")
	case 2:
		g.text(doubles[g.next()%len(doubles)] + "\r\n")
	case 3:
		g.text(",")
		g.digits(1 + b>>5)
		g.text(".")
		g.digits(b >> 6)
		g.text("\r\n")
	case 4:
		if b>>5 == 7 {
			g.odd(g.next())
			return
		}
		g.text("(" + [...]string{"", "-", "+"}[b>>5%3])
		g.digits(1 + g.next()&31)
		g.text("\r\n")
	case 5:
		if b>>5 >= 6 {
			g.odd(g.next())
			return
		}
		g.text([...]string{"#t\r\n", "#f\r\n"}[b>>5&1])
	case 6, 7:
		g.text(nulls[b>>5%len(nulls)])
	case 8:
		g.line('+')
	case 9:
		g.line('-')
	}
}

// chain writes n aggregates, one inside the other. The innermost has one or
// more elements.
func (g *generator) chain(n int) {
	if g.depth > 0 {
		n &= 15
	}
	kinds := g.next()
	for i := range n {
		switch kinds >> (i & 7) & 3 {
		case 0, 1:
			g.text("*1\r\n")
		case 2:
			g.text("~1\r\n")
		case 3:
			g.text("%1\r\n:0\r\n")
		}
	}
	if kinds&1 == 0 || len(g.script) == 0 {
		g.text(":0\r\n")
		return
	}
	depth := g.depth
	g.depth = 1 // so that full allows the contents of the chain to be nested in turn
	g.aggregate('*', 1)
	g.depth = depth
}

// long writes a bulk string of about 4n bytes.
func (g *generator) long(n int) {
	n = 4*n + n&3
	n = min(n, max(0, MaxGenerated-(len(g.out)-g.start)))
	g.header('$', n)
	c := byte(g.next())
	for range n {
		g.out = append(g.out, c)
	}
	g.text("\r\n")
}

const oddBytes = "+-:$*_#,(!=%~|>;.?0129\r\neitfx \x00\xff"

// apply changes one byte of what has been written.
func (g *generator) apply(c change) {
	written := g.out[g.start:]
	if len(written) == 0 {
		return
	}
	at := c.at % len(written)
	odd := oddBytes[c.with%len(oddBytes)]
	switch c.kind & 7 {
	case 0:
		written[at] = byte(c.with)
	case 1, 2:
		written[at] = odd
	case 3:
		g.out = append(g.out, 0)
		written = g.out[g.start:]
		copy(written[at+1:], written[at:])
		written[at] = odd
	case 4:
		copy(written[at:], written[at+1:])
		g.out = g.out[:len(g.out)-1]
	case 5:
		g.out = g.out[:g.start+at]
	case 6:
		for i := range len(written) { // the first digit below 9 at or after at
			if d := &written[(at+i)%len(written)]; *d >= '0' && *d < '9' {
				*d++
				return
			}
		}
	case 7:
		written[at]++
	}
}
