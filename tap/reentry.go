package tap

import (
	"reflect"
	"runtime"
)

// The names of the functions below which handlers run.
var (
	deliverName = runtime.FuncForPC(reflect.ValueOf((*Conn).deliver).Pointer()).Name()
	reportName  = runtime.FuncForPC(reflect.ValueOf((*Conn).report).Pointer()).Name()
)

// insideHandler reports whether the calling goroutine is in a handler that a
// Conn has called. It looks at the call stack, as nothing else identifies a
// goroutine. It is called only where a Read would otherwise wait for a Read
// that is in a handler.
func insideHandler() bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var frame runtime.Frame
			if frame, more = frames.Next(); frame.Function == deliverName || frame.Function == reportName {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}
