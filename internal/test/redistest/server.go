package redistest

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// patience bounds every wait of this package; a test that runs into it fails.
const patience = time.Minute

// A Server is a redis-server process that belongs to one test. It keeps nothing
// on disk and allows DEBUG. Its process ends with the test and, where the system
// supports that, with the test's process.
type Server struct {
	Addr    string // host:port
	Version string // redis_version of INFO
	Valkey  string // valkey_version of INFO; empty for Redis

	Socket  string      // path of the unix socket, with Options.Unix
	TLSAddr string      // host:port for TLS, with Options.TLS
	TLS     *tls.Config // what a client needs for TLSAddr

	password string
	process  *process
}

// Options are the optional features of a Server.
type Options struct {
	Unix     bool     // a unix socket
	TLS      bool     // a second port, which speaks TLS; clients need no certificate
	Password string   // of the default user (requirepass)
	Args     []string // added to the command line
}

// Start runs a redis-server until the end of the test. args are added to its command line. Start returns when the server
// answers. If no server is installed, Start skips the test, or fails it if the environment has CI=true. See Executable
// for other servers.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return StartWith(tb, Options{Args: args})
}

// StartWith is like Start, with options. It also skips or fails the test if the
// options ask for TLS and the installed redis-server has none.
func StartWith(tb testing.TB, o Options) *Server {
	tb.Helper()
	if !o.Unix && !o.TLS && o.Password == "" {
		return startWith(tb, func(string) []string { return o.Args })
	}
	path := Executable(tb)
	dir, err := os.MkdirTemp("", "respush") // a socket's path must be short, and TempDir's is too long
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	s := &Server{password: o.Password}
	var more []string
	if o.Unix {
		s.Socket = filepath.Join(dir, "s")
		more = append(more, "--unixsocket", s.Socket)
	}
	if o.Password != "" {
		more = append(more, "--requirepass", o.Password)
	}
	if o.TLS {
		var certFile, keyFile string
		certFile, keyFile, s.TLS = certify(tb, dir)
		more = append(more, "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no")
	}
	start(tb, s, path, func(port, another string) []string {
		args := append(plain(tb, port), more...)
		if o.TLS {
			s.TLSAddr = net.JoinHostPort("127.0.0.1", another)
			args = append(args, "--tls-port", another)
		}
		return append(args, o.Args...)
	})
	return s
}

// startWith is like Start, but args may use one more port. Each attempt passes it a different one.
func startWith(tb testing.TB, args func(port string) []string) *Server {
	tb.Helper()
	s := &Server{}
	start(tb, s, Executable(tb), func(port, another string) []string { return append(plain(tb, port), args(another)...) })
	return s
}

// plain returns the arguments that every server has.
func plain(tb testing.TB, port string) []string {
	return []string{
		"--port", port, "--bind", "127.0.0.1", "--dir", tb.TempDir(),
		"--save", "", "--appendonly", "no", "--enable-debug-command", "yes", "--loglevel", "warning",
	}
}

// Executable returns the path of the server's program. The environment names it
// as RESPUSH_SERVER; otherwise it is redis-server. If it is not installed,
// Executable skips or fails the test, as Start does.
func Executable(tb testing.TB) string {
	tb.Helper()
	name := cmp.Or(os.Getenv("RESPUSH_SERVER"), "redis-server")
	path, err := exec.LookPath(name)
	if err != nil {
		missing(tb, name+" is not installed")
	}
	return path
}

// missing skips or fails a test because something is not installed.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(what)
	}
	tb.Skip(what)
}

// start runs s on ports that are free; args returns the whole command line.
func start(tb testing.TB, s *Server, path string, args func(port, another string) []string) {
	tb.Helper()
	var failure error
	for range 5 { // a port that was free a moment ago may be taken
		port, another := freePorts(tb)
		s.Addr = net.JoinHostPort("127.0.0.1", port)
		s.process = &process{path: path, args: args(port, another)}
		tb.Cleanup(s.process.end)
		if failure = s.run(); failure == nil {
			return
		}
		if s.TLS != nil && strings.Contains(failure.Error(), "Bad directive") {
			missing(tb, "redis-server has no TLS")
		}
	}
	require.NoError(tb, failure)
}

// run starts the process of s and waits until it answers.
func (s *Server) run() error {
	if err := s.process.start(); err != nil {
		return err
	}
	return s.ready()
}

// WaitReady waits until the server answers, for example after Cont.
func (s *Server) WaitReady(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.ready())
}

// WaitEmpty waits until the server has no keys. A replica loses its last key later
// than its primary.
func (s *Server) WaitEmpty(tb testing.TB) {
	tb.Helper()
	client := s.Dial(tb)
	wait(tb, "the server to be empty", func() bool { return client.Do("DBSIZE").String() == "0" })
}

// ready waits until the process of s answers at its port.
func (s *Server) ready() error {
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(patience)
	for {
		if info, err := s.info(); err == nil {
			s.Version, s.Valkey = field(info, "redis_version"), field(info, "valkey_version")
			if field(info, "process_id") != strconv.Itoa(s.process.cmd.Process.Pid) {
				return fmt.Errorf("another server has taken %s", s.Addr)
			}
			return nil
		}
		select {
		case <-again.C:
		case <-s.process.exited:
			return fmt.Errorf("redis-server ended: %s", s.process.log.Bytes())
		case <-timeout:
			return fmt.Errorf("redis-server does not answer")
		}
	}
}

// info returns the server's INFO. It returns every failure as an error, because the server may not be up yet, or another
// server that is about to end may have its port.
func (s *Server) info() (string, error) {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err = conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	reader := parser.NewReader(conn)
	commands := [][]string{{"INFO", "server"}}
	if s.password != "" {
		commands = [][]string{{"AUTH", s.password}, {"INFO", "server"}}
	}
	var info string
	for _, args := range commands {
		if _, err = conn.Write(Append(nil, args...)); err != nil {
			return "", err
		}
		f, err := reader.Next()
		if err != nil {
			return "", err
		}
		info = f.Value().String()
	}
	return info, nil
}

// freePorts returns two ports that nothing listened on a moment ago.
func freePorts(tb testing.TB) (one, another string) {
	tb.Helper()
	var ports [2]string
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(tb, err)
		defer l.Close() // not earlier, or the second port could be the first again
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports[0], ports[1]
}

// field returns the value of a field in the text of INFO.
func field(info, name string) string {
	_, rest, _ := strings.Cut(info, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r")
	return value
}
