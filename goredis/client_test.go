package goredis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"
)

// listen serves connections on a port of the kernel's choosing, one goroutine each, until the end of the test.
func listen(t *testing.T, serve func(conn net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	ended := false
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if ended {
				_ = conn.Close()
			} else {
				open = append(open, conn)
				wg.Add(1)
				go func() {
					defer wg.Done()
					defer conn.Close()
					serve(conn)
				}()
			}
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		ended = true
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// terminateTLS is a server for TLS in front of the one at addr, and what a client needs to know it by.
func terminateTLS(t *testing.T, addr string) (tlsAddr string, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	tlsAddr = listen(t, func(conn net.Conn) {
		inside := tls.Server(conn, server)
		defer inside.Close()
		relay(inside, addr)
	})
	return tlsAddr, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// relay passes everything on between conn and a new connection to addr, until either ends.
func relay(conn net.Conn, addr string) {
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		_, _ = io.Copy(server, conn)
		_ = server.Close()
	}()
	_, _ = io.Copy(conn, server)
	_ = conn.Close()
	wg.Wait()
}

// newClient returns a client with these options and this processor, which ends with the test.
func newClient(t *testing.T, opt redis.Options, p push.NotificationProcessor) *redis.Client {
	opt.Protocol = 3
	opt.PushNotificationProcessor = p
	opt.ReadTimeout, opt.WriteTimeout, opt.DialTimeout, opt.PoolTimeout = patience, patience, patience, patience
	client := redis.NewClient(&opt)
	t.Cleanup(func() { _ = client.Close() }) // the test may have closed it
	return client
}

// background is the context of all commands: their time is bounded by the client.
var background = context.Background()

// logs is where go-redis logs to. Much of that is about the pushes that these tests send on purpose.
var logs logger

// logger keeps lines while a test records them, and drops the others.
type logger struct {
	mu        sync.Mutex
	recording bool
	lines     []string
}

// Printf is what go-redis calls.
func (l *logger) Printf(_ context.Context, format string, v ...interface{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recording {
		l.lines = append(l.lines, fmt.Sprintf(format, v...))
	}
}

// record keeps lines until the end of the test, and returns a function for those that there are.
func (l *logger) record(t *testing.T) (lines func() string) {
	set := func(recording bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.recording, l.lines = recording, nil
	}
	set(true)
	t.Cleanup(func() { set(false) })
	return func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return strings.Join(l.lines, "\n")
	}
}

func TestMain(m *testing.M) {
	redis.SetLogger(&logs)
	os.Exit(m.Run())
}
