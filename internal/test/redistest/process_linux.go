package redistest

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// attributes makes a server end with the test's process, however that process
// ends.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// stop sends SIGSTOP.
func stop(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// stopped reports whether SIGSTOP has taken effect, which takes a moment.
func stopped(p *os.Process) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	return err == nil && bytes.Contains(stat, []byte(") T "))
}

// cont sends SIGCONT.
func cont(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
