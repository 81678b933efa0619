//go:build respushgeneral

package parser

// useFast switches the fast path off: a build for tests, which must all pass.
const useFast = false
