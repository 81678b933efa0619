package program

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

func TestArgumentIsAURL(t *testing.T) {
	for arg, want := range map[string]Server{
		"redis://host":                      {"host:6379", "default", ""},
		"redis://[::1]:7000/":               {"[::1]:7000", "default", ""},
		"redis://:secret@127.0.0.1:7000":    {"127.0.0.1:7000", "default", "secret"},
		"redis://ada:a%20b@127.0.0.1:12345": {"127.0.0.1:12345", "ada", "a b"},
	} {
		s, err := Arg([]string{arg})
		require.NoError(t, err)
		require.Equal(t, want, s)
	}
	for _, args := range [][]string{nil, {"host:6379"}, {"http://host"}, {"redis://"}, {"redis://a:secret@%%"}, {"redis://a", "redis://b"}} {
		_, err := Arg(args)
		require.ErrorIs(t, err, ErrNoServer)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestDialSpeaksRESP3(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Dial(t)
	admin.Do("ACL", "SETUSER", "ada", "on", ">p", "~*", "+@all")
	admin.Do("CONFIG", "SET", "requirepass", `a "b"`)
	for _, s := range []Server{{server.Addr, "default", `a "b"`}, {server.Addr, "ada", "p"}} {
		conn, err := s.Dial(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write(Command("GET", "missing"))
		require.NoError(t, err)
		f, err := parser.NewReader(conn).Next()
		require.NoError(t, err)
		require.Equal(t, "_\r\n", string(f.Raw()), "RESP3 has a null of its own")
	}
	_, err := Server{server.Addr, "default", "wrong"}.Dial(t.Context())
	require.ErrorContains(t, err, "WRONGPASS")
	_, err = Server{Addr: server.Addr}.Dial(t.Context())
	require.ErrorContains(t, err, "NOAUTH")
}
