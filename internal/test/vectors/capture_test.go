package vectors_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
)

const captures = "../../../testdata/captures"

func TestCapturesArePiecesOfWholeFrames(t *testing.T) {
	all, err := vectors.Captures(captures)
	require.NoError(t, err)
	require.Greater(t, len(all), 60)
	for _, c := range all {
		require.NotEmpty(t, c.Wire, c.Name)
		require.LessOrEqual(t, len(c.Wire), 4<<10, c.Name)
		frames := c.Frames()
		require.Equal(t, c.Wire, bytes.Join(frames, nil), c.Name)
		for _, f := range frames[:len(frames)-1] {
			require.Equal(t, oracle.OK, oracle.Parse(f, oracle.Limits{}).Verdict, c.Name)
		}
	}
}

func TestMissingCapturesAreAnError(t *testing.T) {
	_, err := vectors.Captures(t.TempDir())
	require.Error(t, err)
	_, err = vectors.Captures(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}

// TestOracleCountsAsTheIndexDoes reads every capture to its end and compares
// the oracle's counts with those of another parser.
func TestOracleCountsAsTheIndexDoes(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(captures, "index.tsv"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(index)), "\n")
	require.Greater(t, len(lines), 60)
	for _, line := range lines[1:] {
		column := strings.Split(line, "\t")
		name := column[0]
		want := [6]int{}
		for i := range want {
			want[i], err = strconv.Atoi(column[2+i])
			require.NoError(t, err, name)
		}
		stream := whole(t, filepath.Join(captures, name))
		got := [6]int{0: len(stream)}
		rest := stream
		for len(rest) > 0 {
			r := oracle.Parse(rest, oracle.Limits{})
			if r.Verdict != oracle.OK {
				require.Equal(t, oracle.Incomplete, r.Verdict, "%s at %d: %+v", name, len(stream)-len(rest), r)
				break
			}
			if r.Tree.Type == '>' {
				got[1]++
			} else {
				got[3]++
			}
			got[2] += len(r.Tree.NestedPushes())
			got[4] += attributes(r.Tree)
			rest = rest[r.N:]
		}
		got[5] = len(rest)
		require.Equal(t, want, got, name)
	}
}

func whole(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	if strings.HasSuffix(path, ".gz") {
		rd, err := gzip.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		b, err = io.ReadAll(rd)
		require.NoError(t, err)
	}
	return b
}

// attributes returns the number of attributes in the tree of n.
func attributes(n *oracle.Node) int {
	total := len(n.Attributes)
	for _, list := range [][]*oracle.Node{n.Attributes, n.Children, n.Pushes} {
		for _, c := range list {
			total += attributes(c)
		}
	}
	return total
}
