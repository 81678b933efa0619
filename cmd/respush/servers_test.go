package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestNodeOfAClusterWithoutSlotsIsNamed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	const note = "respush: note: this node of a cluster has no slots"
	p := start(t, "tail", "redis://"+server.Addr, "--subscribe", "news", "--count", "1")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Contains(t, p.stderr.String(), note)
	p = start(t, "tail", "redis://"+server.Addr, "--ssubscribe", "news")
	require.Contains(t, failed(t, p, exitError), "SSUBSCRIBE: CLUSTERDOWN")

	admin := server.Dial(t)
	admin.Do("ACL", "SETUSER", "ada", "on", ">sesame", "+hello", "+subscribe", "&*")
	p = start(t, "tail", "redis://ada:sesame@"+server.Addr, "--subscribe", "news", "--count", "1")
	require.Zero(t, p.exit(), "who may not ask is not told: %s", p.stderr)
	require.NotContains(t, p.stderr.String(), note)

	admin.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	p = start(t, "tail", "redis://"+server.Addr, "--ssubscribe", "news", "--bcast", "--count", "1")
	for !strings.Contains(admin.Do("CLUSTER", "INFO").String(), "cluster_state:ok") {
		// It takes the slots in a moment.
	}
	p.exit()
	require.NotContains(t, p.stderr.String(), note)
}

// startSentinel starts a Sentinel that watches nothing, and returns its
// address. It needs a file, which it writes.
func startSentinel(t *testing.T) string {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	config := filepath.Join(dir, "sentinel.conf")
	require.NoError(t, os.WriteFile(config, []byte("bind 127.0.0.1\nport "+port+"\ndir "+dir+"\n"), 0o600))
	log := newPrinted()
	cmd := exec.Command(redistest.Executable(t), config, "--sentinel")
	cmd.Stdout = log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // no such process: it ended by itself
		_ = cmd.Wait()
	})
	log.wait(t, "Sentinel ID is")
	return net.JoinHostPort("127.0.0.1", port)
}

func TestSentinelIsNamed(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "redis://"+startSentinel(t), "--bcast", "--psubscribe", "*", "--count", "1")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Contains(t, p.stderr.String(), "respush: note: this is a Sentinel: it has no keys")
}

// Nobody reads what tail prints, so that tail does not read what the server
// sends.
func TestReaderTooSlowForTheServerIsToldWhy(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--client-output-buffer-limit", "pubsub", "8mb", "0", "0")
	rd, wr, err := os.Pipe()
	require.NoError(t, err)
	p := prepare(t, wr, "tail", "redis://"+server.Addr, "--subscribe", "news", "--json", "--once")
	p.run()
	require.NoError(t, wr.Close())
	other := server.Dial(t)
	for other.Do("PUBSUB", "NUMSUB", "news").String() != `["news" 1]` {
		// It is not there yet.
	}
	text := strings.Repeat("x", 1<<18)
	begun := time.Now()
	for other.Do("PUBLISH", "news", text).String() == "1" || time.Since(begun) < 300*time.Millisecond {
		// The server cuts the connection off for being slow.
	}
	_, err = io.Copy(io.Discard, rd)
	require.NoError(t, err)
	require.Regexp(t, `after \d+ push(es)?.* \(standard output had held respush up for \S+s: a server cuts off who reads too slowly, see client-output-buffer-limit\)$`,
		failed(t, p, exitError))
}
