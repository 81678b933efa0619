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

// A process is a program that runs again and again with the same arguments, at
// most once at a time, and never after its test.
type process struct {
	path string
	args []string

	mu     sync.Mutex
	cmd    *exec.Cmd // nil: it has never run
	exited chan struct{}
	log    *bytes.Buffer // to be read when the process has ended
	over   bool
}

// start runs the program, and nothing when it runs already.
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
		_ = cmd.Wait() // how it ended is in the log
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
		_ = p.cmd.Process.Kill() // an error says that it has ended by itself
		<-p.exited
	}
}

// end is kill for good.
func (p *process) end() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.kill()
}

// signal sends a signal to the program, which has to run.
func (p *process) signal(send func(*os.Process) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return fmt.Errorf("redistest: the server does not run")
	}
	return send(p.cmd.Process)
}

// Running reports whether the server's process runs, stopped or not.
func (s *Server) Running() bool {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	return s.process.running()
}

// Kill ends the server with SIGKILL and returns when its process has ended. It
// does nothing when the server does not run. What the server knew is lost.
func (s *Server) Kill() { s.process.kill() }

// Restart runs the server again, at its old addresses and with the arguments of
// its start, and returns when it answers. It kills a server that still runs.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.process.kill()
	var err error
	for range 5 { // something else may have the port for a moment
		if err = s.run(); err == nil {
			return
		}
	}
	require.NoError(tb, err)
}

// Stop freezes the server with SIGSTOP and returns when it stands still. Its
// connections stay up, and the system accepts new ones in its place. It skips or
// fails the test, as Start does, on systems other than Linux.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.signal(tb, stop)
	wait(tb, "the process to stop", func() bool { return !s.Running() || stopped(s.process.cmd.Process) })
}

// Cont lets a server go on after Stop.
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
