package parser_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/parser"
)

// pieceSizes are the sizes of the reads in which the captures arrive.
var pieceSizes = []int{1, 2, 3, 7, 64, 4096}

// captureReaders are the ways of reading a capture.
var captureReaders = []struct {
	name string
	open func(rd io.Reader) *parser.Reader
}{
	{"buffer=16", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd, parser.WithBufferSize(16)) }},
	{"buffer=100", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd, parser.WithBufferSize(100)) }},
	{"buffer=default", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd) }},
	{"bufio=16", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReaderSize(rd, 16)) }},
	{"bufio=4096", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReaderSize(rd, 4096)) }},
}

// An account is what has been read of a capture so far.
type account struct {
	captures.Counts
	names []string
	bytes int
}

// add counts a frame, which must be the next bytes of c.
func (a *account) add(t *testing.T, c captures.Capture, f parser.Frame) {
	rest := c.Bytes[a.bytes:]
	if !bytes.HasPrefix(rest, f.Raw()) {
		require.FailNow(t, "not the next frame", "at offset %d: %.100q", a.bytes, f.Raw())
	}
	a.bytes += len(f.Raw())
	if f.IsPush() {
		a.Pushes++
		a.names = append(a.names, string(f.Name()))
	} else {
		a.Replies++
	}
	for n := range f.NestedPushes() {
		a.Nested++
		a.names = append(a.names, string(n.Name()))
	}
	if f.Attributes().Type() == parser.TypeAttribute {
		a.Attributes++
	}
	a.attributes(f.Value())
}

// attributes counts the attributes of v and of what is in it.
func (a *account) attributes(v parser.Value) {
	if v.Attributes().Type() == parser.TypeAttribute {
		a.Attributes++
	}
	for child := range v.All() {
		a.attributes(child)
	}
}

// check holds the account of the whole of c to the index.
func (a *account) check(t *testing.T, c captures.Capture) {
	a.Tail = len(c.Bytes) - a.bytes
	require.Equal(t, c.Counts, a.Counts)
	if c.Truncated {
		require.Equal(t, c.Names, a.names[:len(c.Names)])
		return
	}
	require.Equal(t, c.Names, a.names)
}

// eachCapture runs test for every capture as a subtest of the way it is read.
func eachCapture(t *testing.T, sizes []int, test func(t *testing.T, c captures.Capture, size int, open func(io.Reader) *parser.Reader)) {
	for i, r := range captureReaders {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("%s/pieces=%d", r.name, size), func(t *testing.T) {
				for _, c := range captures.All(t) {
					if c.Heavy() && (i+j)%len(captureReaders) != 0 {
						continue // still one reader for every size
					}
					t.Run(c.File, func(t *testing.T) { test(t, c, size, r.open) })
				}
			})
		}
	}
}

// endOf is the error with which a capture ends.
func endOf(c captures.Capture) error {
	if c.Tail > 0 {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

func TestCapturesAreReadAsTheIndexSays(t *testing.T) {
	t.Parallel()
	eachCapture(t, pieceSizes, func(t *testing.T, c captures.Capture, size int, open func(io.Reader) *parser.Reader) {
		var a account
		rd := open(captures.NewPieces(c.Bytes, size))
		f, err := rd.Next()
		for ; err == nil; f, err = rd.Next() {
			a.add(t, c, f)
		}
		require.Equal(t, endOf(c), err)
		require.NoError(t, rd.Err())
		a.check(t, c)
	})
}

// The test looks at what comes next before taking it, over a connection that times out before every piece.
func TestCapturesArePeekedAtWithoutALossAtTimeOuts(t *testing.T) {
	t.Parallel()
	eachCapture(t, []int{3, 64}, func(t *testing.T, c captures.Capture, size int, open func(io.Reader) *parser.Reader) {
		var a account
		rd := open(captures.NewStutter(c.Bytes, size))
		for {
			typ, err := again(rd.PeekType)
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				require.Equal(t, endOf(c), err)
				break
			}
			name, err2 := again(func() (string, error) {
				name, push, err := rd.PeekPush()
				if !push {
					return "", err
				}
				return ">" + string(name), err
			})
			f, err3 := again(rd.Next)
			require.NoError(t, errors.Join(err, err2, err3))
			want := ""
			if f.IsPush() {
				want = ">" + string(f.Name())
			}
			// A RESP2 null is peeked at as the string or array it is sent as.
			if name != want || typ != f.Type() && !f.Value().IsNull() {
				require.FailNow(t, "peeked at something else", "at offset %d: %s %q", a.bytes, typ, name)
			}
			a.add(t, c, f)
		}
		a.check(t, c)
	})
}

// again calls f until it no longer times out.
func again[T any](f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if err != os.ErrDeadlineExceeded {
			return v, err
		}
	}
}
