package goredis_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// armed runs a Feed with the options of a client until it is armed.
func armed(t *testing.T, opt *redis.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	failure := errors.New("armed")
	f := &feed.Feed{Addr: opt.Addr, Dial: goredis.Dial(opt), Auth: goredis.Auth(opt), ClientName: opt.ClientName}
	f.OnArmed = func(context.Context, feed.Coverage) { f.Stop(failure) }
	require.ErrorIs(t, f.Run(ctx), failure)
}

func TestAFeedConnectsAsAClientDoes(t *testing.T) {
	s := redistest.StartWith(t, redistest.Options{Unix: true, TLS: true, Password: "secret"})
	for name, opt := range map[string]*redis.Options{
		"tcp":     {Addr: s.Addr, Password: "secret"},
		"unix":    {Network: "unix", Addr: s.Socket, Password: "secret"},
		"path":    {Addr: s.Socket, Password: "secret"},
		"tls":     {Addr: s.TLSAddr, TLSConfig: s.TLS, Password: "secret", DialTimeout: time.Minute},
		"dialer":  {Addr: "elsewhere", Password: "secret", Dialer: func(context.Context, string, string) (net.Conn, error) { return net.Dial("tcp", s.Addr) }},
		"user":    {Addr: s.Addr, Username: "default", Password: "secret"},
		"context": {Addr: s.Addr, Password: "wrong", CredentialsProviderContext: func(context.Context) (string, string, error) { return "", "secret", nil }},
		"provider": {Addr: s.Addr, Password: "wrong", CredentialsProvider: func() (string, string) {
			return "default", "secret"
		}},
		"streaming": {Addr: s.Addr, Password: "wrong", StreamingCredentialsProvider: &stream{t: t, credentials: auth.NewBasicCredentials("default", "secret")}},
	} {
		t.Run(name, func(t *testing.T) { armed(t, opt) })
	}
}

// go-redis' own dialer would go on until DialTimeout, which may be none.
func TestTheEndOfTheContextEndsAHandshake(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := silent.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1)) // the handshake has begun
		cancel()
		_, _ = io.Copy(io.Discard, conn) // until the client has given up
	}()
	ended := make(chan error, 1)
	go func() {
		_, err := goredis.Dial(&redis.Options{TLSConfig: &tls.Config{ServerName: "redis"}})(ctx, silent.Addr().String())
		ended <- err
	}()
	require.ErrorIs(t, await(t, ended), context.Canceled)
}

// stream is a StreamingCredentialsProvider.
type stream struct {
	t           *testing.T
	credentials auth.Credentials
	err         error
}

func (s *stream) Subscribe(auth.CredentialsListener) (auth.Credentials, auth.UnsubscribeFunc, error) {
	return s.credentials, func() error { return nil }, s.err
}

func TestAuthReturnsTheErrorOfAProvider(t *testing.T) {
	failure := errors.New("no token")
	_, _, err := goredis.Auth(&redis.Options{StreamingCredentialsProvider: &stream{err: failure}})(t.Context())
	require.ErrorIs(t, err, failure)
	_, _, err = goredis.Auth(&redis.Options{CredentialsProviderContext: func(context.Context) (string, string, error) { return "", "", failure }})(t.Context())
	require.ErrorIs(t, err, failure)
}
