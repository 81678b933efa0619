package tail

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

func TestOptionsBecomeRequests(t *testing.T) {
	for _, test := range []struct {
		name string
		opts Options
		db   int
		want []string // command -> confirmation
	}{
		{"nothing", Options{}, 0, nil},
		{"database", Options{}, 2, []string{"SELECT 2 -> "}},
		{"tracking", Options{Track: true}, 0, []string{"CLIENT TRACKING ON -> "}},
		{"broadcast alone", Options{Broadcast: true}, 0, []string{"CLIENT TRACKING ON BCAST -> "}},
		{"prefixes", Options{Track: true, Broadcast: true, Prefixes: []string{"a", "b c"}}, 0,
			[]string{"CLIENT TRACKING ON BCAST PREFIX a PREFIX b c -> "}},
		{"channels", Options{Channels: []string{"a", "b"}, Patterns: []string{"c*"}, ShardChannels: []string{"d"}}, 1,
			[]string{"SELECT 1 -> ", "SUBSCRIBE a -> subscribe", "SUBSCRIBE b -> subscribe",
				"PSUBSCRIBE c* -> psubscribe", "SSUBSCRIBE d -> ssubscribe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, req := range test.opts.requests(test.db) {
				got = append(got, strings.Join(req.args, " ")+" -> "+req.confirm)
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestHelloLogsInAndTellsAName(t *testing.T) {
	require.Equal(t, []string{"HELLO", "3"}, hello(target.Target{Host: "h"}, "").args)
	require.Equal(t, []string{"HELLO", "3", "AUTH", "ada", "pw"}, hello(target.Target{User: "ada", Password: "pw"}, "").args)
	require.Equal(t, []string{"HELLO", "3", "AUTH", "ada", "pw", "SETNAME", "me"}, hello(target.Target{User: "ada", Password: "pw"}, "me").args)
}

func TestRefusalKeepsThePassword(t *testing.T) {
	req := hello(target.Target{User: "ada", Password: "sesame"}, "")
	for _, reply := range []string{"ERR no", "WRONGPASS no", "NOAUTH no", "NOPROTO no", "ERR unknown command"} {
		require.NotContains(t, refused(req, reply).Error(), "sesame")
	}
}
