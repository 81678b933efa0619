package jsonline

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIntegersAreNumbersOfJSONOrNone(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "-0", "+7": "7", "007": "7", "-007": "-7", "000": "0", "12345678901234567890123": "12345678901234567890123",
		"": "", "-": "", "+": "", "NaN": "", "12 34": "", "1.5": "", "1e3": "", "--1": "", "1-": "", " 1": "",
	} {
		require.Equal(t, want != "", isInteger([]byte(text)), text)
		if want != "" {
			got := appendInteger(nil, []byte(text))
			require.Equal(t, want, string(got))
			require.True(t, json.Valid(got))
		}
	}
}
