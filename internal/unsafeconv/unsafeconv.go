//go:build !purego

// Package unsafeconv holds the one conversion of this module that the type
// system cannot check. It is the only package that imports unsafe; the build tag
// purego replaces it with a copy.
package unsafeconv

import "unsafe"

// Copies reports whether String copies.
const Copies = false

// String returns a string that shares b's memory, and keeps what that is a part
// of. Nobody may write to it any more, the caller included: the string may be
// kept.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
