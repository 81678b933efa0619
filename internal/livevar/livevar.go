// Package livevar makes counters readable through package expvar, without
// importing that, because it imports an HTTP server.
package livevar

import "encoding/json"

// Func is a function that String calls for the value to format. It is an
// expvar.Var.
type Func func() any

// String returns the result of f as JSON. The result must be a struct of
// numbers.
func (f Func) String() string {
	b, _ := json.Marshal(f()) // never fails for such a struct
	return string(b)
}
