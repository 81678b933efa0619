//go:build respushgeneral

package parser

// useFast switches the fast path off. All tests must pass in this build too.
const useFast = false
