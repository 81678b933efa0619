package target_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

func TestURLsOfEveryKindAreRead(t *testing.T) {
	for _, test := range []struct {
		url     string
		want    target.Target
		address string
	}{
		{"redis://localhost", target.Target{Host: "localhost", Port: "6379"}, "localhost:6379"},
		{"redis://10.0.0.1:7000", target.Target{Host: "10.0.0.1", Port: "7000"}, "10.0.0.1:7000"},
		{"redis://[::1]:7000", target.Target{Host: "::1", Port: "7000"}, "[::1]:7000"},
		{"redis://[::1]", target.Target{Host: "::1", Port: "6379"}, "[::1]:6379"},
		{"REDIS://h", target.Target{Host: "h", Port: "6379"}, "h:6379"},
		{"redis://h/", target.Target{Host: "h", Port: "6379"}, "h:6379"},
		{"redis://h/3", target.Target{Host: "h", Port: "6379", DB: 3}, "h:6379"},
		{"rediss://h:1/15", target.Target{TLS: true, Host: "h", Port: "1", DB: 15}, "h:1"},
		{"redis://ada:pw@h", target.Target{Host: "h", Port: "6379", User: "ada", Password: "pw"}, "h:6379"},
		{"redis://:pw@h", target.Target{Host: "h", Port: "6379", User: "default", Password: "pw"}, "h:6379"},
		{"valkey://h:7", target.Target{Host: "h", Port: "7"}, "h:7"},
		{"valkeys://h", target.Target{TLS: true, Host: "h", Port: "6379"}, "h:6379"},
		{"unix:///run/redis.sock", target.Target{Socket: "/run/redis.sock"}, "/run/redis.sock"},
		{"unix:///a%20b?db=2", target.Target{Socket: "/a b", DB: 2}, "/a b"},
		{"unix://ada:pw@/s", target.Target{Socket: "/s", User: "ada", Password: "pw"}, "/s"},
		{"redis://u:p%40%3A%2F%25@h", target.Target{Host: "h", Port: "6379", User: "u", Password: "p@:/%"}, "h:6379"},
	} {
		t.Run(test.url, func(t *testing.T) {
			got, err := target.Parse(test.url, "")
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.address, got.Address())
		})
	}
}

func TestURLsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"", "want redis://host:port"},
		{"localhost:6379", "want redis://host:port"},
		{"http://localhost", `scheme "http"`},
		{"unix://tmp/redis.sock", "want three slashes"},
		{"unix://", "the path of the socket is missing"},
		{"unix:///", "the path of the socket is missing"},
		{"unix:///s?db=x", "the database is not a number"},
		{"unix:///s?database=1", "nothing but ?db=N may follow"},
		{"unix:///s?db=%zz", "nothing but ?db=N may follow"},
		{"unix:///s#x", "nothing but ?db=N may follow"},
		{"unix://ada@/s", "a user needs a password"},
		{"redis://", "no host"},
		{"redis://:6379", "no host"},
		{"redis://h:0", "the port is not in 1-65535"},
		{"redis://h:65536", "the port is not in 1-65535"},
		{"redis://h:port", "not a valid URL"},
		{"redis://h/one", "the database is not a number"},
		{"redis://h/-1", "the database is not a number"},
		{"redis://h/1/2", "the database is not a number"},
		{"redis://h/99999999999", "the database is not a number"},
		{"redis://h?db=1", "nothing may follow"},
		{"redis://h/1#x", "nothing may follow"},
		{"redis://ada@h", "a user needs a password"},
		{"redis://ada:@h", "a user needs a password"},
	} {
		t.Run(test.url, func(t *testing.T) {
			_, err := target.Parse(test.url, "")
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestErrorsOfURLsKeepThePassword(t *testing.T) {
	for _, url := range []string{
		"redis://u:sesame%zz@h", "redis://u:sesame@h:port", "redis://u:sesame@h/x",
		"redis://u:sesame#@h", "redis://u:sesame/@h", "redis://u:sesame?@h", "http://u:sesame@h",
		"u:sesame@h:1", "unix://u:sesame@h/s", "unix://u:sesame@/s?x=sesame", "unix://u:sesame@/s?db=sesame", "unix://u:sesame@", "redis://u:sesame@", "redis://u:ses ame\x7f@h", "redis://u:sesame@h:0", "redis://u:1/sesame@h",
	} {
		_, err := target.Parse(url, "")
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "sesame")
	}
}

// A password from the environment is no part of the URL, and does not go before
// the one in it.
func TestPasswordFromElsewhereIsForURLsWithoutOne(t *testing.T) {
	for url, want := range map[string][2]string{
		"redis://h":          {"default", "elsewhere"},
		"redis://ada@h":      {"ada", "elsewhere"},
		"redis://ada:@h":     {"ada", "elsewhere"},
		"redis://ada:pw@h":   {"ada", "pw"},
		"redis://:pw@h":      {"default", "pw"},
		"unix:///s":          {"default", "elsewhere"},
		"unix://ada@/s":      {"ada", "elsewhere"},
		"valkeys://ada:pw@h": {"ada", "pw"},
	} {
		got, err := target.Parse(url, "elsewhere")
		require.NoError(t, err)
		require.Equal(t, want, [2]string{got.User, got.Password}, url)
	}
}
