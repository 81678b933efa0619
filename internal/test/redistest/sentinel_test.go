package redistest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestSentinelsReplaceAPrimary(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	require.Len(t, s.Addrs(), 3)
	first := s.WaitPrimary(t, nil)
	require.Same(t, s.Nodes[0], first)
	first.Kill()
	second := s.WaitPrimary(t, first)
	require.Equal(t, "OK", second.Dial(t).Do("SET", "k", "v").String())
	first.Restart(t)
	s.WaitReady(t) // the old primary follows the new one
	second.Stop(t)
	third := s.WaitPrimary(t, second)
	require.Equal(t, "v", third.Dial(t).Do("GET", "k").String())
	second.Cont(t)
	s.WaitReady(t)
	require.NotSame(t, third, s.Failover(t))
}
