package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// A said holds the fields of a push that the lines of every command have.
type said struct {
	Name  any
	Bytes int
	Args  []any
}

func saidBy(t *testing.T, lines []string) (all []said) {
	t.Helper()
	for _, line := range lines {
		var s said
		require.NoError(t, json.Unmarshal([]byte(line), &s), line)
		all = append(all, s)
	}
	return all
}

// requireRecorded requires that decode finds the pushes that lines are about in
// a recording.
func requireRecorded(t *testing.T, lines []string, recording string) {
	t.Helper()
	require.NotEmpty(t, lines)
	p := start(t, "decode", "--pushes", "--json", recording)
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, saidBy(t, lines), saidBy(t, p.stdout.lines()))
}

func TestTailRecordsWhatDecodeReads(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	recording := filepath.Join(t.TempDir(), "dump.resp")
	p := start(t, "tail", "redis://"+server.Addr, "--bcast", "--subscribe", "news", "--json", "--record", recording)
	p.stdout.wait(t, `"subscribe"`)
	other := server.Dial(t)
	other.Do("SET", "k\x00\xff", "v")
	other.Do("PUBLISH", "news", "binary \x00\xff\r\n")
	other.Do("FLUSHALL")
	p.stdout.wait(t, `"args":[null]`)
	p.stdout.wait(t, `"message"`)
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	requireRecorded(t, p.stdout.lines(), recording)

	p = start(t, "tail", "redis://"+server.Addr, "--once", "--subscribe", "news", "--json", "--count", "1", "--record", recording)
	require.Zero(t, p.exit(), p.stderr.String())
	requireRecorded(t, p.stdout.lines(), recording)
	whole := start(t, "decode", recording)
	require.Zero(t, whole.exit())
	require.Contains(t, whole.stdout.lines()[0], "map", "the answer to HELLO is the first thing that the server has sent")
}

func TestTailRecordsWhatItLeavesOutAndWhereTheStreamBroke(t *testing.T) {
	t.Parallel()
	recording := filepath.Join(t.TempDir(), "dump.resp")
	url := fake(t, helloReply, ">3\r\n+subscribe\r\n+news\r\n:1\r\n>2\r\n+x\r\n:1\r\n>3\r\n+message\r\n+ne")
	p := start(t, "tail", url, "--once", "--subscribe", "news", "--only", "subscribe", "--record", recording)
	require.Contains(t, failed(t, p, exitError), "the server went away in mid-frame")
	require.Len(t, p.stdout.lines(), 1)
	p = start(t, "decode", "--pushes", recording)
	require.Contains(t, failed(t, p, exitError), "cut short")
	require.Len(t, p.stdout.lines(), 2)
}

func TestProxyRecordsThePushesOfAllClients(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	recording := filepath.Join(t.TempDir(), "dump.resp")
	p, address := startProxy(t, server.Addr, "--json", "--record", recording)
	for range 2 {
		client := connect(t, address)
		client.Do("HELLO", "3")
		client.Do("CLIENT", "TRACKING", "ON", "BCAST")
		client.Do("GET", "replies are not recorded")
	}
	other := server.Dial(t)
	other.Do("MSET", "a", "1", "b\xff", "2")
	other.Do("DEL", "a")
	for len(p.stdout.lines()) < 4 {
		_, more := p.stdout.next()
		<-more
	}
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	requireRecorded(t, p.stdout.lines(), recording)
	all := start(t, "decode", recording)
	require.Zero(t, all.exit())
	require.Len(t, all.stdout.lines(), 4, "nothing but pushes")
}

func TestRecordingThatFailsEndsTheCommand(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none", "dump.resp")
	for _, command := range []string{"tail", "proxy"} {
		args := []string{command, "--record", none}
		if command == "proxy" {
			args = append(args, "--listen", "127.0.0.1:0")
		}
		require.Equal(t, "respush: cannot record to "+none+": no such file or directory", lastLine(t, start(t, args...), exitError))
	}
	const full = "respush: cannot record to /dev/full: no space left on device"
	require.Equal(t, full, lastLine(t, start(t, "tail", "--record", "/dev/full"), exitError))

	server := redistest.Start(t)
	p, address := startProxy(t, server.Addr, "--record", "/dev/full")
	client := connect(t, address)
	client.Do("HELLO", "3")
	client.Send([]string{"SUBSCRIBE", "news"})
	require.Equal(t, full, lastLine(t, p, exitError))
}

// lastLine waits for the end of p and returns the last line that it has told.
func lastLine(t *testing.T, p *process, status int) string {
	t.Helper()
	require.Equal(t, status, p.exit(), p.stderr.String())
	lines := p.stderr.lines()
	require.NotEmpty(t, lines)
	return lines[len(lines)-1]
}
