package program

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegionCountsCodeBetweenItsMarkers(t *testing.T) {
	require.Zero(t, Region("a\nb\n"))
	require.Equal(t, 2, Region("a\n// feed: begin\nb\n\n\t// c\n// feed: end\nd\n\t// feed: begin\n\te // f\n\t// feed: end\n"))
}
