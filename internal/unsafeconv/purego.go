//go:build purego

// Package unsafeconv holds the one conversion of this module that the type
// system cannot check, here in a build that does without: it copies.
package unsafeconv

// Copies reports whether String copies.
const Copies = true

// String returns a copy of b as a string.
func String(b []byte) string { return string(b) }
