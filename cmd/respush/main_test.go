package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// actAsCommand is an environment variable that makes the test binary run as
// respush.
const actAsCommand = "RESPUSH_TEST_ACT_AS_COMMAND"

// deadline bounds the wait for what takes no time on an idle machine.
const deadline = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(actAsCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A process is a respush that runs in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *printed
	stderr *printed
	exited chan struct{} // closed when it has
}

// start runs respush with args. The process is killed at the end of the test if
// it still runs.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is like start, with more variables in the environment.
func startWith(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	stdout := newPrinted()
	p := prepare(t, stdout, args...)
	p.stdout = stdout
	p.cmd.Env = append(p.cmd.Env, env...)
	p.run()
	return p
}

func prepare(t *testing.T, stdout io.Writer, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.Command(self, args...), stderr: newPrinted(), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), actAsCommand+"=1")
	p.cmd.Stdout, p.cmd.Stderr = stdout, p.stderr
	return p
}

func (p *process) run() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // exit tells the status
		close(p.exited)
	}()
	p.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // no such process: as it should be
		<-p.exited
	})
}

// exit waits for the end and returns the exit status.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(deadline):
		require.FailNow(p.t, "respush does not end", "%s", p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// interrupt does what Ctrl-C does.
func (p *process) interrupt() {
	p.t.Helper()
	p.signal(os.Interrupt)
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// A printed collects what is written to it and lets a test wait for it.
type printed struct {
	mu      sync.Mutex
	data    bytes.Buffer
	changed chan struct{} // closed and replaced with each write
}

func newPrinted() *printed { return &printed{changed: make(chan struct{})} }

func (o *printed) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.data.Write(p)
}

func (o *printed) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String()
}

// next returns the text so far, and a channel that is closed when there is
// more.
func (o *printed) next() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String(), o.changed
}

// wait waits until text has been written.
func (o *printed) wait(t *testing.T, text string) {
	t.Helper()
	o.waitMatch(t, regexp.QuoteMeta(text))
}

// waitMatch waits until what has been written matches pattern.
func (o *printed) waitMatch(t *testing.T, pattern string) {
	t.Helper()
	timeout, wanted := time.After(deadline), regexp.MustCompile(pattern)
	for {
		got, more := o.next()
		if wanted.MatchString(got) {
			return
		}
		select {
		case <-more:
		case <-timeout:
			require.FailNow(t, "output did not come", "%q is not in\n%s", pattern, got)
		}
	}
}

// lines returns the complete lines so far.
func (o *printed) lines() []string {
	text := strings.TrimSuffix(o.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// After SIGHUP nobody uses the process any longer, but the summary may go to a
// file.
func TestSignalsEndWithTheSummary(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		p := start(t, "tail", "--for", "10m")
		p.stdout.wait(t, "subscribe")
		p.signal(sig)
		require.Zero(t, p.exit(), p.stderr.String())
		require.Contains(t, p.stderr.String(), "--- ")
	}
}

func TestVersionTellsTheBuild(t *testing.T) {
	t.Parallel()
	p := start(t, "--version")
	require.Zero(t, p.exit())
	require.Regexp(t, `^respush version \S.*, go\S+$`, strings.Join(p.stdout.lines(), "|"))
}
