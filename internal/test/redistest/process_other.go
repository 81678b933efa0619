//go:build !linux

package redistest

import (
	"errors"
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }
func stop(*os.Process) error           { return errors.ErrUnsupported }
func stopped(*os.Process) bool         { return false }
func cont(*os.Process) error           { return errors.ErrUnsupported }
