package notify_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

func TestShapeErrorSaysPushAndCause(t *testing.T) {
	for _, test := range []struct {
		err  notify.ShapeError
		want string
	}{
		{notify.ShapeError{Family: notify.FamilyMoving, Push: notify.NameMoving, Element: 2, Err: notify.ErrType},
			"notify: moving: MOVING element 2: value of another type"},
		{notify.ShapeError{Family: notify.FamilySlotMigration, Push: notify.NameSMigrated, Element: 3, Err: notify.ErrSlots},
			"notify: slot migration: SMIGRATED element 3: malformed slots"},
		{notify.ShapeError{Family: notify.FamilyMoving, Push: notify.NameInvalidate, Err: notify.ErrFamily},
			"notify: moving: invalidate element 0: not a push of this family"},
		{notify.ShapeError{Family: notify.FamilyMessage, Err: notify.ErrFamily},
			"notify: message: element 0: not a push of this family"},
	} {
		require.EqualError(t, &test.err, test.want)
		require.Equal(t, test.err.Err, errors.Unwrap(&test.err))
	}
}

// TestEveryCauseIsReached checks that the tables have every cause, and that no error echoes the payload.
func TestEveryCauseIsReached(t *testing.T) {
	reached := map[error]bool{}
	for family, all := range shapes() {
		for _, s := range all {
			if s.cause != nil {
				reached[s.cause] = true
				_, err := views[family](parse(t, s.bytes()))
				require.Regexp(t, `^notify: [A-Za-z ]+: ([A-Za-z_-]+ )?element [0-4]: [a-z ]+$`, err.Error())
			}
		}
	}
	for _, cause := range causes {
		require.True(t, reached[cause], cause)
	}
	require.Len(t, reached, len(causes))
}

// A view that is returned with an error is empty, and its methods still work.
func TestViewsOfNothingAreEmpty(t *testing.T) {
	for _, parse := range views {
		v, err := parse(parser.Frame{})
		require.ErrorIs(t, err, notify.ErrFamily)
		require.NotEmpty(t, v.String())
		require.NotEmpty(t, v.dump()+".")
	}
	require.Zero(t, notify.Invalidation{}.Len())
	require.False(t, notify.Invalidation{}.FlushAll())
	_, ok := notify.Message{}.Invalidation()
	require.False(t, ok)
	for range (notify.SlotMigration{}).Slots() {
		t.Fatal("slots of nothing")
	}
	for range (notify.SlotMigration{Kind: notify.NameSMigrated}).Moves() {
		t.Fatal("moves of nothing")
	}
	for range (notify.SlotMove{}).Slots() {
		t.Fatal("slots of nothing")
	}
	require.NotEmpty(t, notify.Describe(parser.Frame{}))
}
