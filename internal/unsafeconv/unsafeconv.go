//go:build !purego

// Package unsafeconv holds the one conversion of this module that the type
// system cannot check. It is the only package that imports unsafe; the build
// tag purego replaces it with a copy.
package unsafeconv

import "unsafe"

// String returns a string that shares b's memory. The caller owns b, does not
// change it while the string is in use, and lets the string go no further than
// the call it is an argument of.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
