package parser_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/internal/unsafeconv"
	"github.com/seed79615202/respush/parser"
)

// TestAnyOfManyStrings has strings of all lengths, and other values between them, in arrays long enough for their strings
// to share memory.
func TestAnyOfManyStrings(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 300 {
		var want []any
		var wire bytes.Buffer
		n := r.IntN(200)
		fmt.Fprintf(&wire, "*%d\r\n", n)
		for i := range n {
			text := strings.Repeat(string(rune('a'+i%26)), []int{0, 1, 16, 100, 511, 512, 513, 4096, 5000}[r.IntN(1+r.IntN(9))])
			switch r.IntN(20) {
			case 0:
				want = append(want, int64(i))
				fmt.Fprintf(&wire, ":%d\r\n", i)
			case 1:
				want = append(want, nil)
				wire.WriteString("_\r\n")
			case 2:
				want = append(want, []any{text})
				fmt.Fprintf(&wire, "*1\r\n$%d\r\n%s\r\n", len(text), text)
			case 3:
				want = append(want, text)
				fmt.Fprintf(&wire, "|1\r\n+k\r\n+v\r\n>1\r\n+p\r\n$%d\r\n%s\r\n", len(text), text)
			default:
				want = append(want, text)
				fmt.Fprintf(&wire, "$%d\r\n%s\r\n", len(text), text)
			}
		}
		f := parse(t, wire.String())
		got, err := f.Value().Any()
		require.NoError(t, err)
		all, err := f.Value().Slice()
		require.NoError(t, err)
		clear(f.Raw())
		runtime.GC()
		if want == nil {
			want = []any{}
		}
		require.Equal(t, want, got)
		require.Equal(t, want, all)
	}
}

func TestManyStringsTakeLittleMoreThanAnInterfaceEach(t *testing.T) {
	if unsafeconv.Copies {
		t.Skip("each string is copied")
	}
	v := valueOf(t, "*1000\r\n"+strings.Repeat(key, 1000))
	require.Less(t, allocs.PerRun(10, func() { _, _ = v.Slice() }), 1030.0)
}

// A string that is kept keeps 4 KiB, however long the array was.
func TestStringThatIsKeptKeepsLittle(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector keeps more")
	}
	const arrays, size = 100, 1 << 20
	wire := "*" + decimal(size/int64(len(key))) + "\r\n" + strings.Repeat(key, size/len(key))
	before := heap()
	var kept []any
	for range arrays {
		all, err := valueOf(t, wire).Slice()
		require.NoError(t, err)
		kept = append(kept, all[len(all)/2])
	}
	require.Less(t, heap()-before, int64(arrays*8<<10))
	require.True(t, slices.Equal(kept[:1], kept[len(kept)-1:]))
}

func TestSlice(t *testing.T) {
	for wire, want := range map[string][]any{
		"*0\r\n": {}, "~1\r\n+a\r\n": {"a"}, ">2\r\n+a\r\n:1\r\n": {"a", int64(1)}, "*?\r\n:1\r\n.\r\n": {int64(1)},
	} {
		got, err := valueOf(t, wire).Slice()
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", wire)
	}
	for _, wire := range []string{"%0\r\n", "*-1\r\n", "_\r\n", "+a\r\n", ":1\r\n"} {
		_, err := valueOf(t, wire).Slice()
		require.Equal(t, parser.ErrKind, err, "%q", wire)
	}
	_, err := parse(t, "|0\r\n:1\r\n").Attributes().Slice()
	require.Equal(t, parser.ErrKind, err)
	_, err = valueOf(t, "*1\r\n%1\r\n*0\r\n:1\r\n").Slice()
	require.Equal(t, parser.ErrMapKey, err)
}

// TestSliceNamedIsSliceWithAnotherName decodes every push of the vectors.
func TestSliceNamedIsSliceWithAnotherName(t *testing.T) {
	for _, c := range vectors.Cases() {
		f, _, err := parser.Parse([]byte(c.Wire))
		if err != nil || !f.IsPush() || f.Name() == nil {
			continue
		}
		want, wantErr := f.Value().Slice()
		got, err := f.SliceNamed(string(f.Name()))
		require.Equal(t, wantErr, err, "%.100q", c.Wire)
		require.Equal(t, want, got, "%.100q", c.Wire)
	}
	f := parse(t, "|1\r\n+k\r\n+v\r\n>3\r\n=8\r\ntxt:name\r\n>1\r\n+x\r\n:1\r\n,2\r\n")
	got, err := f.SliceNamed("name")
	require.NoError(t, err)
	require.Equal(t, []any{"name", int64(1), 2.0}, got)
}
