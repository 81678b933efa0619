package textline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/textline"
	"github.com/seed79615202/respush/parser"
)

var at = time.Date(2024, 5, 4, 10, 20, 30, 123456789, time.UTC)

func TestAppend(t *testing.T) {
	for _, test := range []struct{ client, wire, want string }{
		{"", ">2\r\n+invalidate\r\n_\r\n", "10:20:30.123  invalidate  flush all\n"},
		{"", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  x           1\n"},
		{"", ">1\r\n+tracking-redir-broken\r\n", "10:20:30.123  tracking-redir-broken  (nothing)\n"},
		{"127.0.0.1:54321", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  127.0.0.1:54321        x           1\n"},
		{"[2001:db8:1:2:3:4:5:6]:54321", ">2\r\n+x\r\n:1\r\n", "10:20:30.123  [2001:db8:1:2:3:4:5:6]:54321  x           1\n"},
	} {
		push, _, err := parser.Parse([]byte(test.wire))
		require.NoError(t, err)
		require.Equal(t, "before "+test.want, string(textline.Append([]byte("before "), at, test.client, push)))
	}
}
