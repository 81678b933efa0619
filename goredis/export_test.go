package goredis

import (
	"context"

	"github.com/redis/go-redis/v9/push"
)

// Reader is what the package uses of go-redis' reader.
type Reader = reader

// Process is ProcessPendingNotifications with any reader.
func (r *Processor) Process(rd Reader) error {
	return r.processPending(context.Background(), new(push.NotificationHandlerContext), rd)
}

// Unfinished returns for how many readers something is kept between calls.
func (r *Processor) Unfinished() (n int) {
	r.rests.entries.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}

// Idle reports whether the next call need not look for what is kept.
func (r *Processor) Idle() bool { return r.rests.len.Load() == 0 }
