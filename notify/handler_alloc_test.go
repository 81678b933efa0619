//go:build !respushdebug

package notify_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/notify"
)

// allHandlers are handlers that read everything in a push.
var allHandlers = map[notify.Family]dispatch.HandlerFunc{
	notify.FamilyInvalidation:        handle(notify.OnInvalidate[from], useInvalidation),
	notify.FamilyMessage:             handle(notify.OnMessage[from], useMessage),
	notify.FamilySubscription:        handle(notify.OnSubscription[from], useSubscription),
	notify.FamilyMoving:              handle(notify.OnMoving[from], useMoving),
	notify.FamilyMigration:           handle(notify.OnMigration[from], useMigration),
	notify.FamilySlotMigration:       handle(notify.OnSlotMigration[from], useSlotMigration),
	notify.FamilyTrackingRedirBroken: handle(notify.OnTrackingRedirBroken[from], useTrackingRedirBroken),
	notify.FamilyServerCPUUsage:      handle(notify.OnServerCPUUsage[from], useServerCPUUsage),
}

// TestHandlersDoNotAllocate dispatches pushes to typed handlers.
func TestHandlersDoNotAllocate(t *testing.T) {
	p := newProcessor(t, allHandlers, dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		t.Errorf("%s: %v", name, err)
	}))
	ctx := t.Context()
	for _, wire := range append([]string{slotsWire(10), movesWire(3), string(workload.Find("F8").Frame)}, oneOfEach...) {
		f := parse(t, []byte(wire))
		require.Zero(t, allocs.PerRun(3, func() {
			if p.Dispatch(ctx, from{}, f) != 1 {
				t.Fatal("not delivered")
			}
		}), "%.100q", wire)
	}
}
