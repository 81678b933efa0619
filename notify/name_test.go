package notify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

func TestKindComparesWholeNames(t *testing.T) {
	known := 0
	for family, names := range namesOf {
		for _, name := range strings.Fields(names) {
			known++
			require.Equal(t, family, notify.FamilyOf([]byte(name)), name)
			for _, other := range []string{name + "x", "x" + name, name[1:], name[:len(name)-1], strings.ToUpper(name), strings.ToLower(name), name + "\x00"} {
				require.Equal(t, familyOf([]byte(other)), notify.FamilyOf([]byte(other)), other)
			}
		}
	}
	require.Equal(t, 19, known)
	require.Equal(t, notify.FamilyUnknown, notify.FamilyOf(nil))
	require.Equal(t, notify.FamilyUnknown, notify.FamilyOf([]byte{}))
	require.Equal(t, notify.FamilyUnknown, notify.FamilyOf([]byte("pong")))
}

// The parser and this package must agree on which names are those of publish and subscribe.
func TestKindKnowsPubSub(t *testing.T) {
	for family, names := range namesOf {
		for _, name := range strings.Fields(names) {
			pubSub := family == notify.FamilyMessage || family == notify.FamilySubscription
			require.Equal(t, pubSub, parser.IsPubSub([]byte(name)), name)
		}
	}
}

func TestFamilyIsSaidInWords(t *testing.T) {
	words := map[string]bool{}
	for family := range namesOf {
		words[family.String()] = true
	}
	require.Len(t, words, len(namesOf))
	require.Equal(t, "slot migration", notify.FamilySlotMigration.String())
	require.Equal(t, "unknown", notify.FamilyUnknown.String())
	require.Equal(t, "unknown", notify.Family(200).String())
	require.NotContains(t, words, "unknown")
}
