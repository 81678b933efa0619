package vectors_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
)

// script returns n pseudo-random bytes, which are the same on every run.
func script(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestGenerateGivesValidFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tooDeep := 0
	seen := map[byte]int{}
	for range 5000 {
		s := script(r, 1+r.IntN(200))
		s[0] %= 192
		wire := vectors.Generate(nil, s)
		require.LessOrEqual(t, len(wire), vectors.MaxGenerated+512)
		for rest := wire; len(rest) > 0; {
			got := oracle.Parse(rest, oracle.Limits{})
			if got.Verdict == oracle.OverLimit {
				require.Equal(t, oracle.MaxDepth, got.Limit)
				tooDeep++
				break
			}
			require.Equal(t, oracle.OK, got.Verdict, "%q: %+v", rest, got)
			count(got.Tree, seen)
			rest = rest[got.N:]
		}
	}
	require.Greater(t, tooDeep, 10)
	for _, kind := range []byte("+-:$*_#,(!=%~|>sn") {
		require.Greater(t, seen[kind], 100, "%q", kind)
	}
}

// count counts the types in the tree of n in seen. It counts streamed values
// under 's' and nested pushes under 'n'.
func count(n *oracle.Node, seen map[byte]int) {
	seen[n.Type]++
	if n.Streamed {
		seen['s']++
	}
	seen['n'] += len(n.Pushes)
	for _, list := range [][]*oracle.Node{n.Attributes, n.Children, n.Pushes} {
		for _, c := range list {
			count(c, seen)
		}
	}
}

func TestGenerateAlsoBreaksFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	causes := map[string]int{}
	for range 20000 {
		s := script(r, 1+r.IntN(100))
		s[0] |= 192
		got := oracle.Parse(vectors.Generate(nil, s), oracle.Limits{})
		causes[got.Verdict.String()]++
		causes[got.Cause]++
	}
	for _, name := range []string{
		"ok", "incomplete", "syntax", "limit", oracle.ErrType, oracle.ErrLength, oracle.ErrTerminator, oracle.ErrNull,
		oracle.ErrVerbatim, oracle.ErrChunk, oracle.ErrEnd,
	} {
		require.Positive(t, causes[name], name)
	}
}

func TestGenerateOfNoScriptIsAFrame(t *testing.T) {
	require.Equal(t, ":0\r\n", string(vectors.Generate(nil, nil)))
	require.Equal(t, "x:0\r\n", string(vectors.Generate([]byte("x"), nil)))
}
