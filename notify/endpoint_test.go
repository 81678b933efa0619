package notify_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
)

func TestEndpointIsAHostAndAPort(t *testing.T) {
	for _, test := range []struct {
		text, host string
		port       uint16
	}{
		{"redis-node-2:6379", "redis-node-2", 6379},
		{"10.0.0.1:1", "10.0.0.1", 1},
		{"fe80::1:6379", "fe80::1", 6379},
		{"[fe80::1]:6379", "fe80::1", 6379},
		{":::6379", "::", 6379},
		{"[::]:6379", "::", 6379},
		{"h:0", "h", 0},
		{"h:00080", "h", 80},
		{"h:65535", "h", 65535},
	} {
		e, ok := notify.ParseEndpoint([]byte(test.text))
		require.True(t, ok, test.text)
		require.Equal(t, test.host, string(e.Host), test.text)
		require.Equal(t, test.port, e.Port, test.text)
		require.False(t, e.IsZero())

		host, _, err := net.SplitHostPort(e.String())
		require.NoError(t, err, test.text)
		require.Equal(t, test.host, host)
		again, ok := notify.ParseEndpoint([]byte(e.String()))
		require.True(t, ok)
		require.Equal(t, e, again)
	}
	for _, text := range []string{
		"", "h", ":", ":1", "h:", "h:-1", "h:+1", "h:x", "h:1x", "h: 1", "h:65536", "h:99999", "h:100000", "h:000080", "h:99999999999999999999",
		"[]:1", "[h:1", "h]:1", "[h]x:1", "[[h]]:1", "[:1", "]:1", strings.Repeat("9", 100),
	} {
		e, ok := notify.ParseEndpoint([]byte(text))
		require.False(t, ok, text)
		require.True(t, e.IsZero(), text)
	}
}

func TestSlotRangeIsWithinTheSlots(t *testing.T) {
	all, one := notify.SlotRange{Start: 0, End: 16383}, notify.SlotRange{Start: 7, End: 7}
	require.Equal(t, 16384, all.Len())
	require.Equal(t, 1, one.Len())
	require.Equal(t, "0-16383", all.String())
	require.Equal(t, "7", one.String())
	for slot, in := range map[uint16]bool{6: false, 7: true, 8: false} {
		require.Equal(t, in, one.Contains(slot))
		require.True(t, all.Contains(slot))
	}
	require.False(t, all.Contains(16384))
}
