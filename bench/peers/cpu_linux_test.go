package peers_test

import (
	"syscall"
	"time"
)

// processTime returns the processor time of the process.
func processTime() time.Duration { return used(syscall.RUSAGE_SELF) }

// threadTime returns the processor time of the calling thread.
func threadTime() time.Duration { return used(syscall.RUSAGE_THREAD) }

func used(by int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(by, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
