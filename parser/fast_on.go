//go:build !respushgeneral

package parser

// useFast switches the fast path on.
const useFast = true
