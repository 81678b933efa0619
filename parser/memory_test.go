package parser_test

import (
	"bufio"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
)

// heap returns the bytes in use when all garbage, and what pools hold, has been collected.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // a sync.Pool survives one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// allocated returns how many bytes f allocates, garbage included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// flow is a connection that gives head, then body over and over for n bytes, then tail, then an error. It holds no more
// of it than that.
type flow struct {
	head, body, tail string
	n                int64 // bytes of body to come
	at               int   // in body
	most             int   // bytes of one read; 0: as many as fit
	err              error
	peak             func() // called now and then
	reads, peaks     int
}

func (f *flow) Read(p []byte) (n int, err error) {
	if f.reads++; f.peak != nil && f.reads%100 == 0 {
		f.peaks++
		f.peak()
	}
	if f.most > 0 {
		p = p[:min(len(p), f.most)]
	}
	if f.head != "" {
		n = copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	for n < len(p) && f.n > 0 {
		k := copy(p[n:], f.body[f.at:min(int64(len(f.body)), int64(f.at)+f.n)])
		f.n -= int64(k)
		f.at = (f.at + k) % len(f.body)
		n += k
	}
	if n > 0 {
		return n, nil
	}
	if f.tail == "" {
		return 0, f.err
	}
	n = copy(p, f.tail)
	f.tail = f.tail[n:]
	return n, nil
}

// text is the body of long bulks.
var text = strings.Repeat("0123456789abcdef", 4096)

const key = "$16\r\nuser:00000000042\r\n"

func TestMillionNestedArraysAreALimitErrorWithoutTimeOrMemory(t *testing.T) {
	wires := []string{
		strings.Repeat("*1\r\n", 1_000_000),
		">1\r\n" + strings.Repeat("*1\r\n", 1_000_000),
		"|1\r\n" + strings.Repeat("%1\r\n", 1_000_000),
	}
	for _, wire := range wires {
		b := []byte(wire)
		r := parser.NewReader(strings.NewReader(wire))
		begun := time.Now()
		bytes := allocated(func() {
			_, _, err := parser.Parse(b)
			require.Equal(t, &parser.LimitError{Limit: "MaxDepth", Max: 128, Got: 129, Offset: 512}, err)
			_, _, err = parser.NewScanner(parser.Limits{}).Scan(b)
			require.ErrorAs(t, err, new(*parser.LimitError))
			_, err = r.Next()
			require.ErrorAs(t, err, new(*parser.LimitError))
		})
		require.Less(t, time.Since(begun), time.Second)
		require.Less(t, bytes, int64(1<<20))
		// They can be dropped, all of them, and there depth is no matter of memory either.
		require.Less(t, allocated(func() {
			require.NoError(t, r.SkipOversize())
			require.Equal(t, io.ErrUnexpectedEOF, r.Skip())
		}), int64(1<<20))
	}
}

func TestHostileLengthsCostNoMemory(t *testing.T) {
	for _, wire := range []string{
		">1000000000\r\n", "*1000000000\r\n", "%1000000000\r\n", ">1\r\n*16000000\r\n*16000000\r\n",
		">1\r\n$9223372036854775807\r\n", "$536870912\r\nx", "*2\r\n$500000000\r\n", "*16777216\r\n:1\r\n", "%8388608\r\n",
		"$?\r\n;500000000\r\n", "!536870912\r\n", "=536870912\r\ntxt:",
		">4611686018427387904\r\n", "*-2\r\n", "%-1\r\n",
	} {
		for name, use := range map[string]func(){
			"Parse": func() { _, _, _ = parser.Parse([]byte(wire)) },
			"Scan":  func() { _, _, _ = parser.NewScanner(parser.Limits{}).Scan([]byte(wire)) },
			"Next": func() {
				r := parser.NewReader(strings.NewReader(wire), parser.WithBufferSize(64))
				_, err := r.Next()
				require.Error(t, err)
			},
			"Next in place": func() {
				r := parser.NewReader(bufio.NewReaderSize(strings.NewReader(wire), 64))
				_, err := r.Next()
				require.Error(t, err)
			},
			"Skip": func() { require.Error(t, parser.NewReader(strings.NewReader(wire), parser.WithBufferSize(64)).Skip()) },
		} {
			require.Less(t, allocated(use), int64(8<<10), "%s of %q", name, wire)
		}
	}
}

// floods are frames of size bytes and more.
var floods = map[string]func(size int64) *flow{
	"bulk": func(size int64) *flow {
		return &flow{head: "$" + decimal(size) + "\r\n", body: text, n: size, tail: "\r\n", err: io.EOF}
	},
	"elements": func(size int64) *flow {
		n := size / int64(len(key))
		return &flow{head: "*" + decimal(n) + "\r\n", body: key, n: n * int64(len(key)), err: io.EOF}
	},
	"chunks": func(size int64) *flow {
		const chunk = ";16\r\nuser:00000000042\r\n"
		n := size / int64(len(chunk))
		return &flow{head: "$?\r\n", body: chunk, n: n * int64(len(chunk)), tail: ";0\r\n", err: io.EOF}
	},
	"nested": func(size int64) *flow {
		n := size / 5
		return &flow{body: "*1\r\n", n: n * 4, tail: ":1\r\n", err: io.EOF}
	},
}

func decimal(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func TestGibibyteIsSkippedInConstantMemory(t *testing.T) {
	sizes := map[string]int64{"bulk": 1 << 30, "elements": 1 << 26, "chunks": 1 << 25, "nested": 1 << 24}
	for name, flood := range floods {
		if race.Enabled && name != "bulk" {
			sizes[name] >>= 2 // slow
		}
		for _, inPlace := range []bool{false, true} {
			f := flood(sizes[name])
			var rd io.Reader = f
			if inPlace {
				f = flood(sizes[name] >> 4)
				rd = bufio.NewReaderSize(f, 32<<10)
			}
			f.tail += pong
			r := parser.NewReader(rd)
			bytes := allocated(func() { require.NoError(t, r.Skip()) })
			require.Less(t, bytes, int64(256<<10), "%s, in place %t", name, inPlace)
			reply, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(reply.Raw()))
		}
	}
}

func TestOversizeFrameIsSkippedInConstantMemory(t *testing.T) {
	sizes := map[string]int64{"bulk": 1 << 27, "elements": 1 << 24, "chunks": 1 << 25, "nested": 1 << 23}
	for name, flood := range floods {
		f := flood(sizes[name])
		f.tail += pong
		r := parser.NewReader(f, parser.WithLimits(parser.Limits{MaxFrame: 1 << 20, MaxBulk: 1 << 19, MaxElements: 1 << 19}))
		before := heap()
		_, err := r.Next()
		require.ErrorAs(t, err, new(*parser.LimitError), name)
		require.NoError(t, r.SkipOversize())
		most := int64(0)
		f.peak = func() {
			most = max(most, heap()-before)
		}
		_, err = r.PeekType()
		require.NoError(t, err)
		require.NotZero(t, f.peaks, name)
		require.Less(t, most, int64(4<<20), name)
		require.NoError(t, r.Skip())
	}
}

func TestMillionPushesLeaveTheHeapFlat(t *testing.T) {
	million := 1_000_000
	if race.Enabled {
		million /= 8 // slow
	}
	for _, inPlace := range []bool{false, true} {
		f := &flow{body: invalidate, n: int64(million * len(invalidate)), err: io.EOF}
		var rd io.Reader = f
		if inPlace {
			rd = bufio.NewReaderSize(f, 32<<10)
		}
		r := parser.NewReader(rd)
		seen := 0
		var err error
		for ; seen < 10_000; seen++ { // until the buffer has grown
			_, err = r.Next()
			require.NoError(t, err)
		}
		before := heap()
		bytes := allocated(func() {
			for err == nil && seen < million/2 {
				var push parser.Frame
				if push, err = r.Next(); err == nil && push.IsPush() && string(push.Name()) == "invalidate" {
					seen++
				}
			}
			for err == nil || err == parser.ErrIncomplete {
				err = bufferedPushes(r, false, func(push parser.Frame, _ bool) bool {
					for v := range push.Args() {
						seen += v.Len()
					}
					return true
				})
				if err == parser.ErrIncomplete {
					err = r.Driver().Fill()
				}
			}
		})
		require.Equal(t, io.EOF, err)
		require.Equal(t, million, seen)
		require.Less(t, bytes, int64(64<<10))
		require.Less(t, heap()-before, int64(64<<10))
		runtime.KeepAlive(r)
	}
}

func TestMemoryOfALargeFrameIsGivenBackWhenItIsDone(t *testing.T) {
	const size = 32 << 20
	head := ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$" + decimal(size) + "\r\n"
	for _, inPlace := range []bool{false, true} {
		f := &flow{head: head, body: text, n: size, tail: "\r\n" + pong + invalidate, err: io.EOF}
		var rd io.Reader = f
		if inPlace {
			rd = bufio.NewReaderSize(f, 32<<10)
		}
		r := parser.NewReader(rd)
		before := heap()
		push, err := r.Next()
		require.NoError(t, err)
		require.Len(t, push.Raw(), len(head)+size+2)
		require.Greater(t, heap()-before, int64(size), "it is held while it is lent")
		push = parser.Frame{}
		_, err = r.Next() // the frame is done
		require.NoError(t, err)
		require.Less(t, heap()-before, int64(256<<10), "in place %t", inPlace)
		_, err = r.Next()
		require.NoError(t, err)
	}
}

func TestMemoryFollowsWhatHasBeenReceived(t *testing.T) {
	received := []int64{100, 20_000, 50_000, 1<<20 + 1}
	frames := map[string]*flow{
		"bulk":     {head: ">2\r\n+name\r\n$500000000\r\n", body: text},
		"verbatim": {head: "=500000000\r\ntxt:", body: text},
		"elements": {head: "*16000000\r\n", body: key},
		"chunks":   {head: "$?\r\n", body: ";16\r\nuser:00000000042\r\n"},
		"one":      {head: "$?\r\n;500000000\r\n", body: text},
	}
	for name, frame := range frames {
		for _, most := range []int{0, 1460} {
			for _, inPlace := range []bool{false, true} {
				f := *frame
				f.most, f.err = most, timeout
				var rd io.Reader = &f
				if inPlace {
					rd = bufio.NewReaderSize(&f, 4096)
				}
				r := parser.NewReader(rd, parser.WithBufferSize(4096))
				before, sent := heap(), int64(0)
				for _, n := range received {
					f.n, sent = n-sent, n
					_, err := r.Next()
					require.Equal(t, timeout, err)
					used := heap() - before
					require.LessOrEqual(t, used, 2*n+64<<10, "%s: %d bytes for %d received in reads of %d, in place %t", name, used, n, most, inPlace)
				}
				r.Release()
				require.Less(t, heap()-before, int64(64<<10), "%s: after Release", name)
			}
		}
	}
}

// A connection at rest is what most connections are.
func TestReaderAtRestIsSmall(t *testing.T) {
	const count = 10_000
	readers := make([]*parser.Reader, count)
	for name, make := range map[string]func() *parser.Reader{
		"own": func() *parser.Reader { return parser.NewReader(strings.NewReader("")) },
		"own with limits": func() *parser.Reader {
			return parser.NewReader(nil, parser.WithLimits(parser.Limits{MaxDepth: 5}), parser.WithBufferSize(1<<20))
		},
	} {
		before := heap()
		for i := range readers {
			readers[i] = make()
		}
		each := (heap() - before) / count
		t.Logf("%s: %d bytes", name, each)
		require.LessOrEqual(t, each, int64(512), name)
		clear(readers)
	}

	// One buffer for all, which is a client's own, and each Reader has worked in it.
	var rd strings.Reader
	own := bufio.NewReader(&rd)
	before := heap()
	for i := range readers {
		rd.Reset(attribute + invalidate + message("text") + pong)
		own.Reset(&rd)
		readers[i] = parser.NewReader(own)
		for range 2 {
			_, ok, err := readers[i].Driver().NextPush(false)
			require.NoError(t, err)
			require.True(t, ok)
		}
		_, err := readers[i].PeekType()
		require.NoError(t, err)
	}
	each := (heap() - before) / count
	t.Logf("in place, used: %d bytes", each)
	require.LessOrEqual(t, each, int64(512))
	runtime.KeepAlive(readers)
}

// sizedReads is a connection that gives bytes in reads of the sizes it is told, and notes how much room each had.
type sizedReads struct {
	sizes []int
	rooms []int
}

func (r *sizedReads) Read(b []byte) (int, error) {
	r.rooms = append(r.rooms, len(b))
	if len(r.sizes) == 0 {
		return 0, io.EOF
	}
	n := min(r.sizes[0], len(b))
	r.sizes = r.sizes[1:]
	for i := range b[:n] {
		b[i] = ">0\r\n"[i%4]
	}
	return n, nil
}

func TestBufferGrowsWhenReadsFillItAndShrinksWhenTheyDoNot(t *testing.T) {
	const most = 64<<10 - 8
	all := 1 << 20
	conn := &sizedReads{sizes: []int{all, all, all, all, 32 << 10, 4, 4}}
	r := parser.NewReader(conn)
	for err := error(nil); err == nil; {
		_, err = r.Next()
	}
	require.Equal(t, []int{2040, 8184, 32760, most, most, most, 2040, 2040}, conn.rooms)

	conn = &sizedReads{sizes: []int{all, all, all}}
	r = parser.NewReader(conn, parser.WithBufferSize(10_000))
	for err := error(nil); err == nil; {
		_, err = r.Next()
	}
	require.Equal(t, []int{2040, 8184, 10_000, 10_000}, conn.rooms)
}

// measured notes how much room each read has.
type measured struct {
	io.Reader
	rooms []int
}

func (m *measured) Read(b []byte) (int, error) {
	m.rooms = append(m.rooms, len(b))
	return m.Reader.Read(b)
}

func TestBufferGrowsBehindAFrameThatIsCut(t *testing.T) {
	const frame = "+1234\r\n" // 2040 is no multiple of its length
	conn := &measured{Reader: strings.NewReader(strings.Repeat(frame, 100_000))}
	r := parser.NewReader(conn)
	for err := error(nil); err == nil; {
		_, err = r.Next()
	}
	require.Equal(t, 2040, conn.rooms[0])
	require.Greater(t, conn.rooms[1], 8000)
	require.Greater(t, conn.rooms[3], 65_000)
}
