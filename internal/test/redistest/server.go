package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// patience bounds every wait of this package; a test that runs into it fails.
const patience = time.Minute

// A Server is a redis-server process that a test has to itself. It keeps nothing on disk and allows DEBUG.
type Server struct {
	Addr    string // host:port
	Version string // as redis_version of INFO
}

// Start runs a redis-server until the end of the test; args go to its command line. It returns when the server answers.
// Without a redis-server installed it skips the test, or fails it where the environment says CI=true.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return startWith(tb, func(string) []string { return args })
}

// startWith is Start with arguments that may name one more port, another one for each try.
func startWith(tb testing.TB, args func(port string) []string) *Server {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("redis-server is not installed")
		}
		tb.Skip("redis-server is not installed")
	}
	var failure error
	for range 5 { // a port that was free a moment ago may be taken
		var s *Server
		if s, failure = start(tb, path, args); failure == nil {
			return s
		}
	}
	require.NoError(tb, failure)
	return nil
}

// start tries to run a server on ports that are free.
func start(tb testing.TB, path string, args func(port string) []string) (*Server, error) {
	tb.Helper()
	port, another := freePorts(tb)
	var log bytes.Buffer // to be read when the process has ended
	cmd := exec.Command(path, append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", tb.TempDir(),
		"--save", "", "--appendonly", "no", "--enable-debug-command", "yes", "--loglevel", "warning",
	}, args(another)...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(tb, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Kill() // an error says that it has ended by itself
		<-exited
	})

	s := &Server{Addr: net.JoinHostPort("127.0.0.1", port)}
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(patience)
	for {
		if info, err := s.info(); err == nil {
			s.Version = field(info, "redis_version")
			if field(info, "process_id") != strconv.Itoa(cmd.Process.Pid) {
				return nil, fmt.Errorf("another server has taken port %s", port)
			}
			return s, nil
		}
		select {
		case <-again.C:
		case <-exited:
			return nil, fmt.Errorf("redis-server ended: %s", log.Bytes())
		case <-timeout:
			return nil, fmt.Errorf("redis-server does not answer")
		}
	}
}

// info asks the server about itself. Whatever goes wrong is an error: the server may not be up yet, or it is another
// one that is on its way down.
func (s *Server) info() (string, error) {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err = conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err = conn.Write(Append(nil, "INFO", "server")); err != nil {
		return "", err
	}
	f, err := parser.NewReader(conn).Next()
	if err != nil {
		return "", err
	}
	return f.Value().String(), nil
}

// freePorts returns two ports that nothing listened on a moment ago.
func freePorts(tb testing.TB) (one, another string) {
	tb.Helper()
	var ports [2]string
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(tb, err)
		defer l.Close() // not earlier: the second is not to be the first again
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports[0], ports[1]
}

// field returns what stands behind name and a colon in the text of INFO.
func field(info, name string) string {
	_, rest, _ := strings.Cut(info, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r")
	return value
}
