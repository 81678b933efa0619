//go:build !respushdebug

package dispatch_test

// debugBuild says that handlers get copies.
const debugBuild = false
