package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// keyIn returns a key whose slot is in a third of the slots.
func keyIn(third int) string {
	for i := 0; ; i++ {
		if key := fmt.Sprint("key:", i); feed.Slot(key)*3/feed.SlotCount == third {
			return key
		}
	}
}

// awaitTracking waits until respush has asked a server for invalidations.
func awaitTracking(t *testing.T, server *redistest.Server) {
	t.Helper()
	admin := server.Dial(t)
	asks := regexp.MustCompile(`name=respush-tail .*flags=\w*B`)
	for !asks.MatchString(admin.Do("CLIENT", "LIST").String()) {
		// It is not there yet.
	}
}

// awaitLook waits until tail has looked at the cluster anew, as it does before it
// says that a node is covered.
func awaitLook(t *testing.T, server *redistest.Server) {
	t.Helper()
	admin := server.Dial(t)
	stat := regexp.MustCompile(`cmdstat_cluster\|nodes:calls=(\d+)`)
	looks := func() (n int) {
		if m := stat.FindStringSubmatch(admin.Do("INFO", "commandstats").String()); m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		return n
	}
	// The next may have begun before, and the one after that is carried out when
	// another follows.
	for last := looks() + 3; looks() < last; time.Sleep(time.Millisecond) {
	}
}

func TestClusterShowsThePushesOfAllItsNodesAndAFailover(t *testing.T) {
	t.Parallel()
	c := redistest.StartReplicatedCluster(t)
	recording := filepath.Join(t.TempDir(), "dump.resp")
	p := start(t, "tail", "redis://"+c.Nodes[4].Addr, "--cluster", "--bcast", "--subscribe", "news", "--ssubscribe", keyIn(1), "--json", "--record", recording)
	for i := range 3 {
		awaitTracking(t, c.Nodes[i])
		c.Nodes[i].Dial(t).Do("SET", keyIn(i), "")
		p.stdout.wait(t, fmt.Sprintf(`"node":"%s","name":"invalidate","bytes":36,"args":[["%s"]]`, c.Nodes[i].Addr, keyIn(i)))
	}
	p.stdout.wait(t, `"name":"subscribe"`)
	p.stdout.wait(t, `"name":"ssubscribe"`)
	c.Nodes[1].Dial(t).Do("PUBLISH", "news", "1")
	p.stdout.wait(t, `"name":"message"`)
	c.Nodes[1].Dial(t).Do("SPUBLISH", keyIn(1), "1")
	p.stdout.wait(t, `"node":"`+c.Nodes[1].Addr+`","name":"smessage"`)

	awaitLook(t, c.Nodes[0])
	c.Promote(t, 3)
	p.stdout.wait(t, `"event":"gap","node":"`+c.Nodes[0].Addr+`","slots":[[0,5460]]`)
	p.stdout.wait(t, `"event":"armed","node":"`+c.Nodes[3].Addr+`","slots":[[0,5460]]`)
	c.Nodes[3].Dial(t).Do("SET", keyIn(0), "")
	p.stdout.wait(t, `"node":"`+c.Nodes[3].Addr+`","name":"invalidate"`)
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())

	pushes := slices.DeleteFunc(p.stdout.lines(), func(line string) bool { return strings.Contains(line, `"event":`) })
	requireRecorded(t, pushes, recording)
	kinds := compile(t).kindsOf(t, p.stdout.lines())
	require.GreaterOrEqual(t, kinds["push"], 8)
	require.Positive(t, kinds["gap"])
	require.Positive(t, kinds["armed"])
	require.Len(t, kinds, 3)
	for _, node := range c.Nodes[:4] {
		require.Regexp(t, `(?m)^ +[1-9]\d* +from `+node.Addr+`$`, p.stderr.String())
	}
	require.Regexp(t, `(?m)^ +\d+ +gaps, \S+s together$`, p.stderr.String())
}

func TestEventsOfKeysComeFromEveryNodeOfACluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	for i := range 3 {
		c.Nodes[i].Dial(t).Do("CONFIG", "SET", "notify-keyspace-events", "KA")
	}
	p := start(t, "tail", "redis://"+c.Nodes[0].Addr, "--cluster", "--psubscribe", "__keyspace@0__:*", "--count", "6")
	p.stdout.waitMatch(t, `(?s)(psubscribe.*){3}`)
	for i := range 3 {
		c.Nodes[i].Dial(t).Do("SET", keyIn(i), "")
		p.stdout.waitMatch(t, fmt.Sprintf(`(?m)^\S+  %-21s  pmessage .*__keyspace@0__:%s  "set"$`, c.Nodes[i].Addr, keyIn(i)))
	}
	require.Zero(t, p.exit(), p.stderr.String())
}

func TestSlotThatMovesIsAGapOfThatSlot(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	key := keyIn(0)
	slot := feed.Slot(key)
	p := start(t, "tail", "redis://"+c.Nodes[0].Addr, "--cluster", "--bcast", "--ssubscribe", key)
	p.stdout.wait(t, "ssubscribe")
	for _, node := range c.Nodes[:3] {
		awaitTracking(t, node)
	}
	awaitLook(t, c.Nodes[0])
	c.Migrate(t, slot, 0, 1)
	column := func(node int) string { return fmt.Sprintf("%-21s", c.Nodes[node].Addr) }
	clock := `\d\d:\d\d:\d\d\.\d{3}`
	p.stdout.waitMatch(t, fmt.Sprintf(`(?m)^%s  %s  gap         since %s  slots %d  the slots have another primary`, clock, column(0), clock, slot))
	// The other slots of the new primary may have had a gap too, for its epoch.
	p.stdout.waitMatch(t, fmt.Sprintf(`(?m)^%s  %s  armed       again after \S+s  slots %d[\d -]*  pushes since %s may be missing$`, clock, column(1), slot, clock))
	c.Nodes[1].Dial(t).Do("SPUBLISH", key, "moved")
	p.stdout.wait(t, column(1)+`  smessage    shard channel `+key+`  "moved"`)
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
}

// A node that is down when tail begins is told, and watched as soon as it is up.
func TestNodeOfAClusterThatIsDownIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	down := c.Nodes[2]
	down.Kill()
	p := start(t, "tail", "redis://"+c.Nodes[0].Addr, "--cluster", "--bcast")
	p.stderr.wait(t, "respush: "+down.Addr+": not connected: cannot connect to "+down.Addr+": connection refused; trying again\n")
	p.stdout.waitMatch(t, fmt.Sprintf(`(?m)^\S+  %-21s  gap         since \S+  slots 10922-16383  cannot connect to %s: connection refused$`, down.Addr, down.Addr))
	awaitTracking(t, c.Nodes[1])
	c.Nodes[1].Dial(t).Do("SET", keyIn(1), "")
	p.stdout.wait(t, "invalidate  1 key  "+keyIn(1))
	down.Restart(t)
	p.stdout.wait(t, fmt.Sprintf("%-21s  armed       again after ", down.Addr))
	c.WaitReady(t)
	down.Dial(t).Do("SET", keyIn(2), "")
	p.stdout.wait(t, "invalidate  1 key  "+keyIn(2))
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
}

func TestLoginAndNameApplyToEveryNodeOfACluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	var admins []*redistest.Client
	for _, node := range c.Nodes {
		admin := node.Dial(t)
		admin.Do("ACL", "SETUSER", "ada", "on", ">sesame", "+@all", "~*", "&*")
		admin.Do("CONFIG", "SET", "requirepass", "secret")
		admins = append(admins, admin)
	}
	p := start(t, "tail", "redis://ada:sesame@"+c.Nodes[0].Addr, "--cluster", "--bcast", "--client-name", "watch", "--count", "3")
	for i, admin := range admins[:3] {
		named := regexp.MustCompile(`name=watch .*flags=\w*B.* user=ada `)
		for !named.MatchString(admin.Do("CLIENT", "LIST").String()) {
			// It is not there yet.
		}
		admin.Do("SET", keyIn(i), "")
	}
	require.Zero(t, p.exit(), p.stderr.String())
	require.NotContains(t, p.stderr.String(), "sesame")
	for _, node := range c.Nodes[:3] {
		require.Regexp(t, `(?m)^ +1 +from `+node.Addr+`$`, p.stderr.String())
	}

	p = start(t, "tail", "redis://ada:wrong@"+c.Nodes[0].Addr, "--cluster", "--bcast")
	require.Contains(t, failed(t, p, exitError), "wrong user or password (WRONGPASS")
	admins[1].Do("ACL", "SETUSER", "ada", "resetchannels", "&news")
	p = start(t, "tail", "redis://ada:sesame@"+c.Nodes[0].Addr, "--cluster", "--ssubscribe", keyIn(1))
	require.Contains(t, failed(t, p, exitError), c.Nodes[1].Addr+": SSUBSCRIBE: NOPERM")
}

// The cluster is one node, which announces its address and not the name in its
// certificate.
func TestTLSOptionsApplyToTheNodesOfACluster(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t)
	ca.issue("server", &x509.Certificate{DNSNames: []string{"redis.test"}})
	port := freePort(t)
	address := net.JoinHostPort("127.0.0.1", port)
	server := redistest.Start(t, "--tls-port", port, "--tls-auth-clients", "no", "--tls-ca-cert-file", ca.file("ca.crt"),
		"--tls-cert-file", ca.file("server.crt"), "--tls-key-file", ca.file("server.key"),
		"--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", freePort(t), "--cluster-announce-ip", "127.0.0.1")
	server.Dial(t).Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	tail := func(args ...string) *process {
		return start(t, append([]string{"tail", "rediss://" + address, "--cluster", "--subscribe", "news", "--count", "1", "--cacert", ca.file("ca.crt")}, args...)...)
	}
	p := tail("--sni", "redis.test")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Regexp(t, `(?m)^ +1 +from `+address+`$`, p.stderr.String())
	require.Contains(t, failed(t, tail(), exitError), "certificate")
}

func TestServerThatIsNoClusterIsRefusedWithCluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr, "--cluster", "--bcast")
	require.Equal(t, "respush: "+server.Addr+" is no node of a cluster (its mode is standalone): leave out --cluster", failed(t, p, exitError))
	require.Len(t, p.stderr.lines(), 1)

	server = redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	p = start(t, "tail", "redis://"+server.Addr, "--cluster", "--bcast")
	require.Contains(t, failed(t, p, exitError), "cannot find out who has which slots: ")
	p = start(t, "tail", "redis://"+server.Addr, "--subscribe", "news", "--count", "1")
	require.Zero(t, p.exit())
	require.Equal(t, 1, strings.Count(p.stderr.String(), "note: this is one node of a cluster: --cluster shows"))
}
