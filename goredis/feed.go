package goredis

import (
	"cmp"
	"context"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/auth"

	"github.com/seed79615202/respush/feed"
)

// Dial returns a function for the Dial field of a [feed.Feed] that opens
// connections as a client with these options does: with opt.Dialer if that is
// set, and otherwise with opt.TLSConfig, opt.Network and opt.DialTimeout.
func Dial(opt *redis.Options) func(ctx context.Context, addr string) (net.Conn, error) {
	dial := opt.Dialer
	if dial == nil && opt.TLSConfig != nil {
		secure := feed.DialTLS(opt.TLSConfig)
		dial = func(ctx context.Context, _, addr string) (net.Conn, error) { return secure(ctx, addr) }
	}
	if dial == nil {
		dial = redis.NewDialer(opt)
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		if opt.DialTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, opt.DialTimeout)
			defer cancel()
		}
		network := "tcp"
		if strings.HasPrefix(addr, "/") {
			network = "unix"
		}
		return dial(ctx, cmp.Or(opt.Network, network), addr)
	}
}

// Auth returns a function for the Auth field of a [feed.Feed] that returns the
// credentials of a client with these options. They come from the first of these
// that is set, as in go-redis: StreamingCredentialsProvider,
// CredentialsProviderContext, CredentialsProvider, Username and Password. A
// Feed asks at each dial, so it needs no updates in between.
func Auth(opt *redis.Options) func(ctx context.Context) (username, password string, err error) {
	return func(ctx context.Context) (username, password string, err error) {
		switch {
		case opt.StreamingCredentialsProvider != nil:
			return current(opt.StreamingCredentialsProvider)
		case opt.CredentialsProviderContext != nil:
			return opt.CredentialsProviderContext(ctx)
		case opt.CredentialsProvider != nil:
			username, password = opt.CredentialsProvider()
			return username, password, nil
		}
		return opt.Username, opt.Password, nil
	}
}

// current returns the credentials that p has now.
func current(p auth.StreamingCredentialsProvider) (username, password string, err error) {
	credentials, unsubscribe, err := p.Subscribe(new(deaf))
	if err != nil {
		return "", "", err
	}
	username, password = credentials.BasicAuth()
	return username, password, unsubscribe()
}

// deaf is an auth.CredentialsListener that does nothing. It has a size, so that
// each is another one.
type deaf struct{ _ byte }

// OnNext does nothing.
func (*deaf) OnNext(auth.Credentials) {}

// OnError does nothing.
func (*deaf) OnError(error) {}
