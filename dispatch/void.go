package dispatch

import (
	"context"

	"github.com/seed79615202/respush/parser"
)

// VoidProcessor drops pushes. It is for clients that want none and must not
// mistake one for a reply. Like a [Processor], it leaves the pushes of publish
// and subscribe unread. The zero value is ready to use, and all methods may be
// called concurrently.
type VoidProcessor struct{}

// NewVoidProcessor returns a VoidProcessor.
func NewVoidProcessor() *VoidProcessor { return new(VoidProcessor) }

// GetHandler returns nil.
func (v *VoidProcessor) GetHandler(string) NotificationHandler { return nil }

// RegisterHandler returns an error that [IsVoidProcessorError] recognizes.
func (v *VoidProcessor) RegisterHandler(pushNotificationName string, _ NotificationHandler, _ bool) error {
	return ErrVoidProcessorRegister(pushNotificationName)
}

// UnregisterHandler returns an error that [IsVoidProcessorError] recognizes.
func (v *VoidProcessor) UnregisterHandler(pushNotificationName string) error {
	return ErrVoidProcessorUnregister(pushNotificationName)
}

// ProcessPendingNotifications drops the pushes that stand before the next
// reply. The memory that it needs does not depend on their size, except for
// that of a name. It blocks and returns errors like the method of [Processor],
// and limits apply as they do to a Processor with [WithSkipOversize].
func (v *VoidProcessor) ProcessPendingNotifications(_ context.Context, _ NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil || !rd.Driver().AwaitPush() {
		return nil
	}
	c := call{rd: rd, wait: forPushes}
	return verdict(rd, c.run())
}
