package e2e_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// sentinelSystem is a primary behind Sentinel as the load sees it. The load is
// a user of its own, whom a primary still knows when it is cut off from the
// others.
type sentinelSystem struct {
	*redistest.Sentinel
	asked []*asked    // one for each sentinel
	two   atomic.Bool // one is cut off from the other two
}

// asked is a sentinel that the load asks. Invariant: mu guards conn.
type asked struct {
	mu   sync.Mutex
	conn loadConn
}

func newSentinelSystem(t testing.TB, sentinel *redistest.Sentinel) *sentinelSystem {
	s := &sentinelSystem{Sentinel: sentinel}
	for _, addr := range sentinel.Addrs() {
		a := &asked{conn: loadConn{addr: addr}}
		t.Cleanup(a.conn.close)
		s.asked = append(s.asked, a)
	}
	return s
}

func (s *sentinelSystem) nodes() (addrs []string) {
	for _, node := range s.Nodes {
		if node.Running() {
			addrs = append(addrs, node.Addr)
		}
	}
	return addrs
}

// primary asks a sentinel.
func (s *sentinelSystem) primary() string { return s.asked[0].primary() }

// sure asks all sentinels. One that has been replaced takes messages until it
// hears of that.
func (s *sentinelSystem) sure(addr string, _ time.Time) bool {
	return !slices.ContainsFunc(s.asked, func(a *asked) bool { return a.primary() != addr })
}

// primary returns the primary that the sentinel knows, or "".
func (a *asked) primary() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, err := a.conn.do([]string{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", redistest.Name})
	if err != nil {
		return ""
	}
	var pair []string
	for part := range v.All() {
		pair = append(pair, part.String())
	}
	return net.JoinHostPort(pair[0], pair[1])
}

func (s *sentinelSystem) auth() []string { return []string{"AUTH", appUser, appUser} }

// safe is true for all that are in touch. One replica may go on following a
// primary that has been replaced by the other.
func (s *sentinelSystem) safe(_ string, replicas int) bool {
	return replicas >= 2 || replicas >= 1 && s.two.Load()
}

const appUser = "app"

// sentinelRun is a Sentinel whose faults an oracle watches.
type sentinelRun struct {
	*redistest.Sentinel
	t testing.TB
	o *oracle
	s *sentinelSystem
}

// as sends a command to a node as the user of the load.
func (r *sentinelRun) as(node *redistest.Server, args ...string) {
	r.t.Helper()
	c := &loadConn{addr: node.Addr, auth: r.s.auth()}
	defer c.close()
	_, err := c.do(args)
	require.NoError(r.t, err)
}

// allow makes the user of the load, whom a crash forgets.
func allow(t testing.TB, node *redistest.Server) {
	t.Helper()
	node.Dial(t).Do("ACL", "SETUSER", appUser, "on", ">"+appUser, "+@all", "~*", "&*")
}

func startSentinelRun(t testing.TB, eager bool) *sentinelRun {
	s := redistest.StartSentinel(t)
	for _, node := range s.Nodes {
		allow(t, node)
	}
	var sentinels []*redis.SentinelClient
	for _, addr := range s.Addrs() {
		client := redis.NewSentinelClient(&redis.Options{Addr: addr})
		t.Cleanup(func() { _ = client.Close() })
		sentinels = append(sentinels, client)
	}
	r := &sentinelRun{Sentinel: s, t: t, s: newSentinelSystem(t, s)}
	r.o = startOracle(t, r.s, goredis.SentinelTopology(redistest.Name, sentinels...), func(feed.Node) *feed.Feed {
		return &feed.Feed{Auth: func(context.Context) (string, string, error) { return appUser, appUser, nil }}
	}, eager)
	return r
}

// fault breaks something and waits until all is covered again.
func (r *sentinelRun) fault(name string, f func()) {
	r.t.Helper()
	r.o.fault(name, f)
}

// cutOff lets the sentinels and the replicas of a primary not reach it any more,
// while the load still does, and waits until the load has written to the one that
// takes its place.
func (r *sentinelRun) cutOff(old *redistest.Server) {
	r.as(old, "ACL", "SETUSER", "default", "off")
	r.as(old, "CLIENT", "KILL", "USER", "default")
	r.as(old, "CLIENT", "KILL", "TYPE", "replica")
	r.WaitPrimary(r.t, old)
	r.s.two.Store(true)
	c := &loadConn{addr: old.Addr, auth: r.s.auth()}
	defer c.close()
	v, err := c.do([]string{"ROLE"})
	require.NoError(r.t, err)
	require.True(r.t, strings.HasPrefix(v.String(), `["master"`), "the old one does not know: %s", v)
	r.o.awaitAcks()
	r.s.two.Store(false) // from here on a replica may follow the old one again
	r.as(old, "ACL", "SETUSER", "default", "on", "nopass")
}

func TestSentinelFeedServesNothingStale(t *testing.T) {
	serveNothingStale(t, func(t *testing.T, eager bool) (round func(), o *oracle) {
		r := startSentinelRun(t, eager)
		return r.round, r.o
	})
}

// round is one of each fault.
func (r *sentinelRun) round() {
	r.fault("SENTINEL FAILOVER", func() { r.Failover(r.t) })
	r.WaitReady(r.t)
	r.fault("SIGKILL", func() {
		old := r.WaitPrimary(r.t, nil)
		old.Kill()
		r.WaitPrimary(r.t, old)
		old.Restart(r.t)
		allow(r.t, old)
	})
	r.WaitReady(r.t)
	r.fault("SIGSTOP and SIGCONT", func() {
		old := r.WaitPrimary(r.t, nil)
		old.Stop(r.t)
		r.WaitPrimary(r.t, old)
		old.Cont(r.t)
	})
	r.WaitReady(r.t)
	r.fault("an old primary is cut off", func() { r.cutOff(r.WaitPrimary(r.t, nil)) })
	r.WaitReady(r.t)
}
