package output_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
)

// none is for outputs that do not fail.
func none(err error) { panic(err) }

func TestSpoolWritesLinesInOrder(t *testing.T) {
	var out bytes.Buffer
	s := output.NewSpool(&out, 1<<20, none)
	var writers sync.WaitGroup
	for i := range 10 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			for j := range 100 {
				s.Write(fmt.Appendf(nil, "%d %d\n", i, j))
			}
		}()
	}
	writers.Wait()
	require.NoError(t, s.Close())
	require.Zero(t, s.Dropped())
	next := [10]int{}
	for line := range strings.Lines(out.String()) {
		var i, j int
		_, err := fmt.Sscanf(line, "%d %d\n", &i, &j)
		require.NoError(t, err)
		require.Equal(t, next[i], j)
		next[i]++
	}
	require.Equal(t, [10]int{100, 100, 100, 100, 100, 100, 100, 100, 100, 100}, next)
}

// A stuck output tells of a write and then waits.
type stuck struct {
	bytes.Buffer
	begun   chan struct{}
	release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	s.begun <- struct{}{}
	<-s.release
	return s.Buffer.Write(p)
}

func TestSpoolDoesNotWait(t *testing.T) {
	out := &stuck{begun: make(chan struct{}), release: make(chan struct{})}
	s := output.NewSpool(out, 10, none)
	s.Write([]byte("first\n"))
	<-out.begun
	s.Write([]byte("longer than the limit\n")) // has room while nothing else waits
	s.Write([]byte("a\n"))
	require.EqualValues(t, 1, s.Dropped())
	out.release <- struct{}{}
	<-out.begun
	s.Write([]byte("12345\n"))
	s.Write([]byte("678\n"))
	s.Write([]byte("9\n"))
	require.EqualValues(t, 2, s.Dropped())
	go func() {
		out.release <- struct{}{}
		<-out.begun
		out.release <- struct{}{}
	}()
	require.NoError(t, s.Close())
	require.Equal(t, "first\nlonger than the limit\n12345\n678\n", out.String())
}

func TestSpoolTellsOnceThatItsOutputFails(t *testing.T) {
	failed := make(chan error, 1)
	s := output.NewSpool(broken{syscall.EPIPE}, 10, func(err error) { failed <- err })
	s.Write([]byte("line\n"))
	require.True(t, output.Closed(<-failed))
	s.Write([]byte("line\n"))
	require.EqualValues(t, 1, s.Dropped())
	require.True(t, output.Closed(s.Close()))
}
