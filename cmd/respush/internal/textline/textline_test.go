package textline_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/textline"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

var at = time.Date(2024, 5, 4, 10, 20, 30, 123456789, time.UTC)

func TestLineHasTimeClientAndPushInColumns(t *testing.T) {
	for _, test := range []struct{ client, wire, want string }{
		{"", ">2\r\n+invalidate\r\n_\r\n", "10:20:30.123  invalidate  flush all\n"},
		{"", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  x           1\n"},
		{"", ">1\r\n+tracking-redir-broken\r\n", "10:20:30.123  tracking-redir-broken  (nothing)\n"},
		{"127.0.0.1:54321", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  127.0.0.1:54321        x           1\n"},
		{"[2001:db8:1:2:3:4:5:6]:54321", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  [2001:db8:1:2:3:4:5:6]:54321  x           1\n"},
	} {
		push, _, err := parser.Parse([]byte(test.wire))
		require.NoError(t, err)
		require.Equal(t, "before "+test.want, string(textline.Style{}.Append([]byte("before "), at, test.client, push)))
	}
}

func TestLineHasDateAndZoneWhenAsked(t *testing.T) {
	push, _, err := parser.Parse([]byte(">2\r\n+x\r\n:1\r\n"))
	require.NoError(t, err)
	style := textline.Style{Date: true}
	require.Equal(t, "2024-05-04 10:20:30.123 +00:00  x           1\n", string(style.Append(nil, at, "", push)))
	there := at.In(time.FixedZone("", -(3*60+30)*60))
	require.Equal(t, "2024-05-04 06:50:30.123 -03:30  x           1\n", string(style.Append(nil, there, "", push)))
}

func TestLineIsCutToTheWidthOfTheTerminal(t *testing.T) {
	wire := ">3\r\n+message\r\n+news\r\n$18\r\nabc日本語e\u0301xyz\r\n"
	push, n, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	require.Len(t, wire, n)
	line := func(width int) string {
		style := textline.Style{Width: func() int { return width }}
		return string(style.Append(nil, at, "", push))
	}
	whole := "10:20:30.123  message     channel news  \"abc日本語e\u0301xyz\"\n"
	require.Equal(t, whole, line(0))
	require.Equal(t, whole, line(55), "as many columns as it has")
	for width, want := range map[int]string{
		54: "10:20:30.123  message     channel news  \"abc日本語e\u0301xy…\n",
		52: "10:20:30.123  message     channel news  \"abc日本語e\u0301…\n",
		51: "10:20:30.123  message     channel news  \"abc日本語…\n",
		50: "10:20:30.123  message     channel news  \"abc日本…\n",
		49: "10:20:30.123  message     channel news  \"abc日本…\n",
		48: "10:20:30.123  message     channel news  \"abc日…\n",
		17: "10:20:30.123  me…\n",
		3:  "10…\n",
		1:  "…\n",
	} {
		require.Equal(t, want, line(width))
	}
}

// Without its colours a line is what it is without colours, however it is cut.
func TestColoursChangeNoText(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9]*m")
	for _, wire := range []string{">2\r\n+invalidate\r\n_\r\n", ">3\r\n+message\r\n+a\r\n+b\r\n", ">2\r\n+x\r\n:1\r\n", ">1\r\n:1\r\n"} {
		push, _, err := parser.Parse([]byte(wire))
		require.NoError(t, err)
		for width := range 60 {
			style := textline.Style{Width: func() int { return width }}
			want := string(style.Append(nil, at, "127.0.0.1:1", push))
			style.Colours = true
			got := string(style.Append(nil, at, "127.0.0.1:1", push))
			require.Equal(t, want, escape.ReplaceAllString(got, ""))
			require.Contains(t, got, "\x1b[2m")
			require.LessOrEqual(t, strings.LastIndex(got, "\x1b[3"), strings.LastIndex(got, "\x1b[0m"), "no colour is left on")
		}
	}
}

func TestGapOfAClusterHasItsNodeAndSlots(t *testing.T) {
	since := at.Add(-1500 * time.Millisecond)
	scattered := feed.Slots{{First: 1, Last: 1}, {First: 3, Last: 3}, {First: 5, Last: 5}, {First: 7, Last: 9}, {First: 20, Last: 29}, {First: 40, Last: 40}}
	for _, test := range []struct {
		node string
		of   feed.Part
		want string
	}{
		{"", feed.Part{}, ""},
		{"127.0.0.1:7000", feed.Part{Slots: scattered[:4]}, "slots 1 3 5 7-9  "},
		{"127.0.0.1:7000", feed.Part{Slots: scattered}, "slots 1 3 5 7-9 ... 11 more  "},
		{"127.0.0.1:7000", feed.Part{Slots: feed.AllSlots(), Channels: true}, "slots 0-16383 and channels  "},
		{"127.0.0.1:7000", feed.Part{Channels: true}, "channels  "},
	} {
		column := ""
		if test.node != "" {
			column = "127.0.0.1:7000         "
		}
		require.Equal(t, "10:20:30.123  "+column+"gap         since 10:20:28.623  "+test.want+"why\n",
			string(textline.Style{}.AppendGap(nil, at, test.node, test.of, since, "why")))
		require.Equal(t, "10:20:30.123  "+column+"armed       again after 1.5s  "+test.want+"pushes since 10:20:28.623 may be missing\n",
			string(textline.Style{}.AppendArmed(nil, at, test.node, test.of, since, at.Sub(since))))
	}
}
