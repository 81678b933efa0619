package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Name is the name that the sentinels of StartSentinel use for their primary.
const Name = "main"

// A Sentinel is a primary with two replicas, and three sentinels that watch it.
// A sentinel considers the primary down after half a second of silence, and two
// sentinels must agree that it is. Until they are started again, the sentinels
// talk to each other more often than by default. The methods of a Sentinel may
// fail the test, so they must run on its goroutine.
type Sentinel struct {
	Nodes     []*Server // the primary, then the replicas; a failover changes roles, not places
	Sentinels []*Server
}

// StartSentinel runs a Sentinel until the end of the test. args are added to the
// command lines of the primary and the replicas. StartSentinel returns when all
// servers know each other. Without redis-server it skips or fails the test, as
// Start does.
func StartSentinel(tb testing.TB, args ...string) *Sentinel {
	tb.Helper()
	args = append([]string{"--repl-diskless-sync-delay", "0"}, args...)
	s := &Sentinel{Nodes: []*Server{Start(tb, args...)}}
	primary := s.Nodes[0].port()
	for range 2 {
		s.Nodes = append(s.Nodes, Start(tb, append([]string{"--replicaof", "127.0.0.1 " + primary}, args...)...))
	}
	s.waitReplicas(tb)
	for range 3 {
		sentinel := &Server{}
		start(tb, sentinel, Executable(tb), func(port, _ string) []string {
			dir := tb.TempDir()
			file := filepath.Join(dir, "sentinel.conf") // a sentinel stores its state there
			config := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %[3]s 127.0.0.1 %[4]s 2\n"+
				"sentinel down-after-milliseconds %[3]s 500\nsentinel failover-timeout %[3]s 2000\n", port, dir, Name, primary)
			require.NoError(tb, os.WriteFile(file, []byte(config), 0o600))
			return []string{file, "--sentinel"}
		})
		// The defaults are 10, 2 and 1 seconds. With them a primary that comes back is told to follow only after 8 seconds.
		sentinel.Dial(tb).Do("SENTINEL", "DEBUG", "INFO-PERIOD", "250", "PUBLISH-PERIOD", "250", "ASK-PERIOD", "250")
		s.Sentinels = append(s.Sentinels, sentinel)
	}
	s.WaitReady(tb)
	return s
}

// Addrs returns the addresses of the sentinels.
func (s *Sentinel) Addrs() []string {
	var addrs []string
	for _, sentinel := range s.Sentinels {
		addrs = append(addrs, sentinel.Addr)
	}
	return addrs
}

// WaitReady waits until every sentinel knows the other two, the primary and both
// replicas, and considers all of them healthy. All servers must run.
func (s *Sentinel) WaitReady(tb testing.TB) {
	tb.Helper()
	for _, sentinel := range s.Sentinels {
		client := sentinel.Dial(tb)
		wait(tb, "a sentinel to know all others", func() bool {
			main := make(map[string]string)
			for key, value := range client.Do("SENTINEL", "MASTER", Name).Pairs() {
				main[key.String()] = value.String()
			}
			if main["flags"] != "master" || main["num-slaves"] != "2" || main["num-other-sentinels"] != "2" {
				return false
			}
			for replica := range client.Do("SENTINEL", "REPLICAS", Name).All() {
				for key, value := range replica.Pairs() {
					switch key.String() {
					case "flags":
						if value.String() != "slave" {
							return false
						}
					case "master-link-status":
						if value.String() != "ok" {
							return false
						}
					}
				}
			}
			return true
		})
	}
}

// waitReplicas waits until both replicas are up to date.
func (s *Sentinel) waitReplicas(tb testing.TB) {
	tb.Helper()
	for _, replica := range s.Nodes[1:] {
		client := replica.Dial(tb)
		wait(tb, "the replica to be up to date", func() bool {
			return field(client.Do("INFO", "replication").String(), "master_link_status") == "up"
		})
	}
}

// agreed returns the primary that the sentinels at the other end of clients
// agree on at the moment, or nil.
func (s *Sentinel) agreed(tb testing.TB, clients []*Client) *Server {
	tb.Helper()
	var addr string
	for i, client := range clients {
		var pair []string
		for v := range client.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name).All() {
			pair = append(pair, v.String())
		}
		require.Len(tb, pair, 2)
		said := net.JoinHostPort(pair[0], pair[1])
		if i > 0 && said != addr {
			return nil
		}
		addr = said
	}
	for _, node := range s.Nodes {
		if node.Addr == addr {
			return node
		}
	}
	return nil
}

// Failover makes the sentinels promote a replica although the primary is
// healthy. It returns the new primary as WaitPrimary does.
func (s *Sentinel) Failover(tb testing.TB) *Server {
	tb.Helper()
	old := s.WaitPrimary(tb, nil)
	running(s.Sentinels)[0].Dial(tb).Do("SENTINEL", "FAILOVER", Name)
	return s.WaitPrimary(tb, old)
}

// WaitPrimary waits until all sentinels that run when it is called agree on a
// primary other than old, which may be nil, and until that server reports that it
// is a primary. It returns the new primary.
func (s *Sentinel) WaitPrimary(tb testing.TB, old *Server) *Server {
	tb.Helper()
	var primary *Server
	var clients []*Client // dialled once, as the wait may last for thousands of questions
	for _, sentinel := range running(s.Sentinels) {
		client := sentinel.Dial(tb)
		defer client.Conn.Close()
		clients = append(clients, client)
	}
	wait(tb, "another primary", func() bool {
		if primary = s.agreed(tb, clients); primary == nil || primary == old {
			return false
		}
		client := primary.Dial(tb) // anew, as a server that is promoted closes its connections
		defer client.Conn.Close()
		return strings.Contains(client.Do("INFO", "replication").String(), "role:master")
	})
	return primary
}
