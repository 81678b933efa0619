package redistest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestStartGivesAServerThatAnswers(t *testing.T) {
	s := redistest.Start(t, "--maxmemory", "77mb")
	require.NotEmpty(t, s.Version)
	c := s.Dial(t)
	require.Equal(t, `{"maxmemory": "80740352"}`, c.Do("CONFIG", "GET", "maxmemory").String())
	other := s.DialRESP2(t)
	require.Equal(t, `["maxmemory" "80740352"]`, other.Do("CONFIG", "GET", "maxmemory").String())
	require.NotEqual(t, c.ID(), other.ID())

	c.Send([]string{"SET", "k", "a\r\n"}, []string{"GET", "k"}, []string{"DEL"})
	for _, want := range []string{"OK", "a\r\n", "ERR wrong number of arguments for 'del' command"} {
		f, err := c.Reader.Next()
		require.NoError(t, err)
		require.Equal(t, want, f.Value().String())
	}
}

// The test runs where no redis-server is found.
func TestStartWithoutServerSkipsTheTest(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CI", "")
	t.Run("skips", func(t *testing.T) {
		defer func() { require.True(t, t.Skipped()) }()
		redistest.Start(t)
	})
}
