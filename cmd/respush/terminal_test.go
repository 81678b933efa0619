package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// onTerminal returns what a tail shows on a terminal of its own, which is
// columns wide.
func onTerminal(t *testing.T, columns uint16, env []string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{"tail", "--count", "12"}, args...)...)
	cmd.Env = append(append(os.Environ(), actAsCommand+"=1", "TERM=xterm", "NO_COLOR="), env...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	require.NoError(t, err)
	defer master.Close()
	shown := newPrinted()
	_, _ = io.Copy(shown, master) // ends with the process
	require.NoError(t, cmd.Wait())
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

func TestTailShowsColoursAndWholeLinesOnATerminal(t *testing.T) {
	t.Parallel()
	shown := onTerminal(t, 40, nil)
	require.Regexp(t, `(?m)^\x1b\[2m\d\d:\d\d:\d\d\.\d{3}\x1b\[0m  \x1b\[33minvalidate\x1b\[0m  1 key`, shown)
	require.Regexp(t, `(?m)^\x1b\[2m\d\d:\d\d:\d\d\.\d{3}\x1b\[0m  \x1b\[36msubscribe \x1b\[0m  channel news …$`, shown)
	require.Contains(t, shown, "\n--- 12 pushes, ")

	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		shown = onTerminal(t, 40, []string{env})
		require.NotContains(t, shown, "\x1b[")
		require.Regexp(t, `(?m)^\d\d:\d\d:\d\d\.\d{3}  subscribe   channel news …$`, shown)
	}
	shown = onTerminal(t, 200, nil, "--json", "--utc")
	require.NotContains(t, shown, "\x1b[")
	require.Regexp(t, `(?m)^\{"time":"\d{4}-\d\d-\d\dT[^"]*Z","name":"subscribe",.*\}$`, shown)
}

func TestTailShowsDateAndZoneWhenAsked(t *testing.T) {
	t.Parallel()
	p := startWith(t, []string{"TZ=Asia/Kolkata"}, "tail", "--count", "1", "--date")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+05:30  subscribe   channel`, p.stdout.String())
	p = startWith(t, []string{"TZ=Asia/Kolkata"}, "tail", "--count", "1", "--date", "--utc")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00  subscribe   channel`, p.stdout.String())
}
