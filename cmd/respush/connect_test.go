package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestEveryKindOfURLReachesTheServer(t *testing.T) {
	t.Parallel()
	// The path of a socket may not be long.
	dir, err := os.MkdirTemp("", "respush")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	server := redistest.Start(t, "--unixsocket", socket)
	admin := server.Dial(t)
	admin.Do("ACL", "SETUSER", "ada", "on", ">sesame", "+@all", "allchannels", "allkeys")
	admin.Do("CONFIG", "SET", "requirepass", "secret")
	for _, test := range []struct {
		url string
		env []string
	}{
		{"redis://:secret@" + server.Addr, nil},
		{"valkey://:secret@" + server.Addr + "/2", []string{"REDISCLI_AUTH=wrong"}},
		{"redis://" + server.Addr, []string{"REDISCLI_AUTH=secret"}},
		{"valkey://ada@" + server.Addr, []string{"REDISCLI_AUTH=sesame"}},
		{"unix://" + socket, []string{"REDISCLI_AUTH=secret"}},
		{"unix://ada:sesame@" + socket + "?db=3", nil},
	} {
		p := startWith(t, test.env, "tail", test.url, "--subscribe", "news", "--count", "1")
		require.Zero(t, p.exit(), "%s: %s", test.url, p.stderr)
		require.Equal(t, map[string]int{"subscribe": 1}, names(t, p))
	}
	p := startWith(t, []string{"REDISCLI_AUTH=sesame"}, "tail", "redis://"+server.Addr, "--subscribe", "news")
	require.Contains(t, failed(t, p, exitError), "wrong user or password")
	p = start(t, "tail", "unix://"+dir+"/none", "--bcast")
	require.Contains(t, failed(t, p, exitError), "cannot connect to "+dir+"/none: no such file or directory")
}

func TestServerKnowsTailByName(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for args, name := range map[string]string{"": "respush-tail", "--client-name=watch": "watch"} {
		all := []string{"tail", "redis://" + server.Addr, "--subscribe", "news"}
		if args != "" {
			all = append(all, args)
		}
		p := start(t, all...)
		p.stdout.wait(t, "subscribe")
		require.Contains(t, server.Dial(t).Do("CLIENT", "LIST").String(), " name="+name+" ")
		p.interrupt()
		require.Zero(t, p.exit())
	}
	p := start(t, "tail", "redis://"+server.Addr, "--client-name", "a b")
	require.Contains(t, failed(t, p, exitError), "HELLO 3: ERR Client names cannot contain spaces")
}

// freePort returns a port that nothing listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// An issuer signs certificates, and writes them into a folder.
type issuer struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, dir: t.TempDir()}
	i.cert, i.key = i.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return i
}

// file returns the path of a file of i.
func (i *issuer) file(name string) string { return filepath.Join(i.dir, name) }

// issue writes a certificate and its key to the files name.crt and name.key.
func (i *issuer) issue(name string, cert *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	cert.SerialNumber, cert.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = cert, key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	require.NoError(i.t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(i.t, err)
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		require.NoError(i.t, os.WriteFile(i.file(file), pem.EncodeToMemory(block), 0o600))
	}
	cert, err = x509.ParseCertificate(der)
	require.NoError(i.t, err)
	return cert, key
}

// Server and client verify each other, by an authority that the system does not
// know and a name that is not the host's.
func TestTLSWithOwnAuthorityAndClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t)
	ca.issue("server", &x509.Certificate{DNSNames: []string{"redis.test"}})
	ca.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	port := freePort(t)
	address := net.JoinHostPort("127.0.0.1", port)
	redistest.Start(t, "--tls-port", port, "--tls-ca-cert-file", ca.file("ca.crt"),
		"--tls-cert-file", ca.file("server.crt"), "--tls-key-file", ca.file("server.key"))

	tail := func(args ...string) *process {
		return start(t, append([]string{"tail", "valkeys://" + address, "--subscribe", "news", "--count", "1"}, args...)...)
	}
	own := []string{"--cert", ca.file("client.crt"), "--key", ca.file("client.key")}
	for _, args := range [][]string{{"--cacert", ca.file("ca.crt"), "--sni", "redis.test"}, {"--insecure"}} {
		p := tail(append(own, args...)...)
		require.Zero(t, p.exit(), p.stderr.String())
		require.Equal(t, map[string]int{"subscribe": 1}, names(t, p))
	}
	for want, args := range map[string][]string{
		"unknown authority":                           append(own, "--sni", "redis.test"),
		"127.0.0.1":                                   append(own, "--cacert", ca.file("ca.crt")),
		"certificate required":                        {"--cacert", ca.file("ca.crt"), "--sni", "redis.test"},
		"none: no such file or directory":             append(own, "--cacert", ca.file("none")),
		"client.key: no certificate in it":            append(own, "--cacert", ca.file("client.key")),
		"--cert " + ca.file("client.crt") + ", --key": {"--cert", ca.file("client.crt"), "--key", ca.file("server.key")},
	} {
		require.Contains(t, failed(t, tail(args...), exitError), want)
	}
}

// The server accepts, and says nothing: not to the handshake, and not to HELLO.
func TestForBoundsHandshakeAndSetUp(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	address := listener.Addr().String()
	const unanswered = "time is up (--for) before the server had answered"
	for _, test := range []struct{ url, once, want string }{
		{"rediss://" + address, "--once", "cannot connect to " + address + ": time is up (--for)"},
		{"redis://" + address, "--once", unanswered},
		{"rediss://" + address, "--once=false", unanswered},
		{"redis://" + address, "--once=false", unanswered},
	} {
		p := start(t, "tail", test.url, test.once, "--bcast", "--for", "50ms")
		require.Equal(t, "respush: "+test.want, failed(t, p, exitError))
		require.Len(t, p.stderr.lines(), 1)
	}
}
