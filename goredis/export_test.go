package goredis

import (
	"context"

	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/dispatch"
)

// Reader is what the package uses of go-redis' reader.
type Reader = reader

// Process is ProcessPendingNotifications with any reader.
func (r *Processor) Process(rd Reader) error {
	return r.processPending(context.Background(), new(push.NotificationHandlerContext), rd)
}

// Unfinished returns for how many readers something is kept between calls.
func (r *Processor) Unfinished() (n int) {
	r.parked.entries.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}

// Idle reports whether the next call need not look for what is kept.
func (r *Processor) Idle() bool { return r.parked.len.Load() == 0 }

// OnlySessions makes the Processor handle every push in a session.
func (r *Processor) OnlySessions() { r.parked.len.Add(1) }

// Lone handles what can be handled without a session.
func (r *Processor) Lone(rd Reader) (taken int, over bool, err error) {
	return r.lone(context.Background(), new(dispatch.NotificationHandlerContext), rd)
}
