package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A process is a program that can be run repeatedly with the same arguments. At
// most one instance runs at a time, and none runs after the test.
type process struct {
	path string
	args []string

	mu     sync.Mutex
	cmd    *exec.Cmd // nil if it has never run
	exited chan struct{}
	log    *bytes.Buffer // may be read once the process has ended
	over   bool
}

// start runs the program. It does nothing if the program runs already.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return fmt.Errorf("the test is over")
	}
	if p.running() {
		return nil
	}
	p.log, p.exited = new(bytes.Buffer), make(chan struct{})
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = p.log, p.log, attributes()
	if err := p.cmd.Start(); err != nil {
		close(p.exited)
		return err
	}
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // the log says how it ended
		close(exited)
	}(p.cmd, p.exited)
	return nil
}

// running reports whether the program runs. The caller holds mu.
func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill ends the program at once, and returns when it has ended.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		_ = p.cmd.Process.Kill() // an error means that it has already ended
		<-p.exited
	}
}

// end kills the program and keeps it from running again.
func (p *process) end() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.kill()
}

// signal sends a signal to the program. It returns an error if the program does
// not run.
func (p *process) signal(send func(*os.Process) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return fmt.Errorf("redistest: the server is not running")
	}
	return send(p.cmd.Process)
}

// Running reports whether the server's process runs. A stopped process counts
// as running.
func (s *Server) Running() bool {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	return s.process.running()
}

// Kill ends the server with SIGKILL and returns when its process has ended. It
// does nothing if the server does not run. The server's data is lost.
func (s *Server) Kill() { s.process.kill() }

// Restart runs the server again with the same addresses and arguments, and
// returns when it answers. If the server still runs, Restart kills it first.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.process.kill()
	var err error
	for range 5 { // another process may hold the port for a moment
		if err = s.run(); err == nil {
			return
		}
	}
	require.NoError(tb, err)
}

// Stop freezes the server with SIGSTOP and returns when it is stopped. Its
// connections stay up, and the kernel still accepts new ones. On systems other
// than Linux it skips or fails the test, as Start does.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.signal(tb, stop)
	wait(tb, "the process to stop", func() bool { return !s.Running() || stopped(s.process.cmd.Process) })
}

// Cont lets a stopped server continue.
func (s *Server) Cont(tb testing.TB) {
	tb.Helper()
	s.signal(tb, cont)
}

func (s *Server) signal(tb testing.TB, send func(*os.Process) error) {
	tb.Helper()
	err := s.process.signal(send)
	if errors.Is(err, errors.ErrUnsupported) {
		missing(tb, "SIGSTOP is sent on Linux alone")
	}
	require.NoError(tb, err)
}
