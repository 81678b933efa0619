//go:build !purego

// Package unsafeconv holds the conversions of this module that the type system
// cannot check. It is the only package that imports unsafe; the build tag purego
// replaces them with copies.
package unsafeconv

import "unsafe"

// Copies reports whether the conversions copy.
const Copies = false

// String returns a string that shares b's memory, and keeps what that is a part
// of. Nobody may write to it any more, the caller included: the string may be
// kept.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Any returns *s as an interface that shares the memory of s, where a conversion
// allocates, and keeps what that is a part of. Nobody may write to *s any more,
// the caller included: the interface may be kept.
func Any(s *string) (a any) {
	a = "" // of two words, the first is the type and the second points to the value
	(*[2]unsafe.Pointer)(unsafe.Pointer(&a))[1] = unsafe.Pointer(s)
	return a
}
