//go:build purego

// Package unsafeconv holds the conversions of this module that the type system
// cannot check, here in a build that does without: they copy.
package unsafeconv

// Copies reports whether the conversions copy.
const Copies = true

// String returns a copy of b as a string.
func String(b []byte) string { return string(b) }

// Any returns a copy of *s.
func Any(s *string) any { return *s }
