package vectors_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/vectors"
)

func TestFeedGivesItsCutsAndStalls(t *testing.T) {
	f := &vectors.Feed{Data: []byte("abcdefgh"), Cuts: []byte{1, 0, 0, 3}, End: io.ErrClosedPipe}
	p := make([]byte, 2)
	var got []string
	for {
		n, err := f.Read(p)
		if err == io.ErrClosedPipe {
			break
		}
		if err != nil {
			require.ErrorIs(t, err, vectors.ErrStall)
			require.Zero(t, n)
			got = append(got, "-")
			continue
		}
		got = append(got, string(p[:n]))
	}
	require.Equal(t, []string{"a", "-", "b", "cd", "e", "-", "f", "gh"}, got)
	require.Equal(t, 2, f.Stalls)

	whole := &vectors.Feed{Data: []byte("abc"), End: io.EOF}
	b, err := io.ReadAll(whole)
	require.NoError(t, err)
	require.Equal(t, "abc", string(b))
}
