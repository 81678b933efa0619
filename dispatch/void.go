package dispatch

import (
	"context"

	"github.com/seed79615202/respush/parser"
)

// VoidProcessor drops pushes: it is for clients that want none and must not
// take one for a reply. Those of publish and subscribe it leaves unread, as a
// [Processor] does. The zero value is ready.
type VoidProcessor struct{}

// NewVoidProcessor returns a VoidProcessor.
func NewVoidProcessor() *VoidProcessor { return new(VoidProcessor) }

// GetHandler returns nil.
func (v *VoidProcessor) GetHandler(string) NotificationHandler { return nil }

// RegisterHandler returns an error that [IsVoidProcessorError] knows.
func (v *VoidProcessor) RegisterHandler(pushNotificationName string, _ NotificationHandler, _ bool) error {
	return ErrVoidProcessorRegister(pushNotificationName)
}

// UnregisterHandler returns an error that [IsVoidProcessorError] knows.
func (v *VoidProcessor) UnregisterHandler(pushNotificationName string) error {
	return ErrVoidProcessorUnregister(pushNotificationName)
}

// ProcessPendingNotifications drops the pushes that stand before the next reply,
// of any size, in memory that does not depend on it but for that of a name. It
// blocks, and returns nil or an error, as that of [Processor] does; limits apply
// as they do to a Processor with [WithSkipOversize].
func (v *VoidProcessor) ProcessPendingNotifications(_ context.Context, _ NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil || !rd.Driver().AwaitPush() {
		return nil
	}
	c := call{rd: rd, wait: forPushes}
	return verdict(rd, c.run())
}
