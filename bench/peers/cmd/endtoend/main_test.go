//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// mainVariable is the environment variable that makes the test binary run as
// the command itself.
const mainVariable = "RESPUSH_ENDTOEND_MAIN"

// TestMain does what main does in the clients and commands that a test starts.
func TestMain(m *testing.M) {
	if encoded := os.Getenv(jobVariable); encoded != "" {
		if err := serve(encoded, os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
		os.Exit(0)
	}
	if os.Getenv(mainVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Every client sees every push in every scene, since run fails otherwise.
func TestRun(t *testing.T) {
	path := redistest.Executable(t)
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each client, if built with the race detector, sleeps at its end
	var out strings.Builder
	require.NoError(t, run(context.Background(), &out, settings{server: path, pushes: 2000, rate: 7000, length: 50 * time.Millisecond, rounds: 1}))
	for _, name := range clientNames {
		rows := regexp.MustCompile(`(?m)^ *`+name+` +\d`).FindAllString(out.String(), -1)
		require.Len(t, rows, 6, "%s in\n%s", name, &out)
	}
	require.Equal(t, 2, strings.Count(out.String(), "p99.9"))
	require.Equal(t, 3, strings.Count(out.String(), "keys/s"))
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left, "files are left behind")
}

// startServer returns an error if the program cannot be started or ends at
// once, and removes its folder.
func TestStartServerLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, program := range []string{"/no/such/redis-server", "false"} {
		_, _, err := startServer(context.Background(), program)
		require.Error(t, err, program)
	}
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
}

// A signal that ends the command ends its server as well.
func TestTermination(t *testing.T) {
	server := redistest.Executable(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		dir := t.TempDir()
		cmd := exec.Command(self, "-server", server)
		cmd.Env = append(os.Environ(), mainVariable+"=true", "TMPDIR="+dir)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { // the server has started
			left, err := os.ReadDir(dir)
			return err == nil && len(left) > 0
		}, patience, time.Millisecond)
		require.NoError(t, cmd.Process.Signal(sig))
		require.Error(t, cmd.Wait(), sig)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, sig) // the folder is removed when the server has ended
	}
}

func TestRunFailsWithoutServer(t *testing.T) {
	require.Error(t, run(context.Background(), &strings.Builder{}, settings{server: "/no/such/redis-server"}))
}

func TestText(t *testing.T) {
	for _, kind := range []string{messages, invalidations} {
		for _, want := range []int64{0, 1, 123456789, 999_999_999_999_999} {
			text := appendText(nil, kind, want)
			require.Len(t, text, textSize(kind))
			got, ok := number(text)
			require.True(t, ok)
			require.Equal(t, want, got)
		}
		require.Len(t, endText(kind), textSize(kind))
		_, ok := number(endText(kind))
		require.False(t, ok)
	}
	_, ok := number("k12345678901234x")
	require.False(t, ok)
	_, ok = number("k1")
	require.False(t, ok)
}

func TestClocksAgree(t *testing.T) {
	epoch := time.Now().UnixNano()
	a, b := newClock(epoch), newClock(epoch)
	first := a.now()
	second := b.now()
	require.GreaterOrEqual(t, first, int64(0))
	require.InDelta(t, first, second, float64(time.Minute)) // two looks at the wall clock
}
