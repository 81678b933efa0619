package target_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

func TestParse(t *testing.T) {
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
		{"redis://u:p%40%3A%2F%25@h", target.Target{Host: "h", Port: "6379", User: "u", Password: "p@:/%"}, "h:6379"},
	} {
		t.Run(test.url, func(t *testing.T) {
			got, err := target.Parse(test.url)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.address, got.Address())
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"", "want redis://host:port"},
		{"localhost:6379", "want redis://host:port"},
		{"http://localhost", `scheme "http"`},
		{"unix:///tmp/redis.sock", `scheme "unix"`},
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
			_, err := target.Parse(test.url)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestParseErrorsKeepThePassword(t *testing.T) {
	for _, url := range []string{
		"redis://u:sesame%zz@h", "redis://u:sesame@h:port", "redis://u:sesame@h/x",
		"redis://u:sesame#@h", "redis://u:sesame/@h", "redis://u:sesame?@h", "http://u:sesame@h",
		"u:sesame@h:1", "redis://u:sesame@", "redis://u:ses ame\x7f@h", "redis://u:sesame@h:0", "redis://u:1/sesame@h",
	} {
		_, err := target.Parse(url)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "sesame")
	}
}
