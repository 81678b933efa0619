// Package soak makes tests with random faults run for as long, and with the
// seed, that the environment says.
package soak

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// For returns the duration in RESPUSH_SOAK. It returns 0 if that is not set.
func For(tb testing.TB) time.Duration {
	tb.Helper()
	text := os.Getenv("RESPUSH_SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	require.NoError(tb, err)
	return d
}

// Seed returns and logs the seed in RESPUSH_SEED, or another one if that is not
// set.
func Seed(tb testing.TB) uint64 {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("RESPUSH_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(tb, err)
	}
	tb.Logf("RESPUSH_SEED=%d", seed)
	return seed
}
