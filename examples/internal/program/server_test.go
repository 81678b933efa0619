package program

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

func TestArgumentIsAURL(t *testing.T) {
	for arg, want := range map[string]Server{
		"redis://host":                      {Addr: "host:6379", Username: "default"},
		"redis://[::1]:7000/":               {Addr: "[::1]:7000", Username: "default"},
		"redis://:secret@127.0.0.1:7000":    {Addr: "127.0.0.1:7000", Username: "default", Password: "secret"},
		"redis://ada:a%20b@127.0.0.1:12345": {Addr: "127.0.0.1:12345", Username: "ada", Password: "a b"},
	} {
		s, err := Arg([]string{arg})
		require.NoError(t, err)
		require.Equal(t, want, s)
		s, err = ClusterArg([]string{arg + "?cluster=true"})
		require.NoError(t, err)
		want.Cluster = true
		require.Equal(t, want, s)
	}
	for _, args := range [][]string{nil, {"host:6379"}, {"http://host"}, {"redis://"}, {"redis://a:secret@%%"}, {"redis://a", "redis://b"}, {"redis://a?cluster=true"}, {"redis://a?db=1"}} {
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
	for _, s := range []Server{{Addr: server.Addr, Username: "default", Password: `a "b"`}, {Addr: server.Addr, Username: "ada", Password: "p"}} {
		conn, err := s.Dial(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write(Command("GET", "missing"))
		require.NoError(t, err)
		f, err := parser.NewReader(conn).Next()
		require.NoError(t, err)
		require.Equal(t, "_\r\n", string(f.Raw()), "RESP3 has a null of its own")
	}
	_, err := Server{Addr: server.Addr, Username: "default", Password: "wrong"}.Dial(t.Context())
	require.ErrorContains(t, err, "WRONGPASS")
	_, err = Server{Addr: server.Addr}.Dial(t.Context())
	require.ErrorContains(t, err, "NOAUTH")
}
