package program

import (
	"context"
	"time"
)

// look is the time between two looks of Until.
const look = 5 * time.Millisecond

// Until waits until happened returns true or ctx ends. If ctx ends first, it
// returns the error of ctx.
func Until(ctx context.Context, happened func() bool) error {
	again := time.NewTicker(look)
	defer again.Stop()
	for !happened() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
