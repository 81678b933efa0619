package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/seed79615202/respush/parser"
)

// ErrNoServer is the error of a program whose arguments name no server.
var ErrNoServer = errors.New(`want redis://[user:password@]host[:port] of a server
No server at hand? This one keeps nothing and ends with Ctrl-C:
  redis-server --port 6399 --save ""`)

// A Server is the address of a server and a login. The login is sent only if
// Password is not empty.
type Server struct {
	Addr, Username, Password string
	Cluster                  bool // the server is a node and stands for its whole cluster
}

// Arg returns the server that the arguments of a program name. It returns
// ErrNoServer if they name none.
func Arg(args []string) (Server, error) {
	s, err := ClusterArg(args)
	if s.Cluster {
		return Server{}, ErrNoServer
	}
	return s, err
}

// ClusterArg is like [Arg], for a program that also takes a cluster. The argument
// is then the URL of one of its nodes, with ?cluster=true at the end.
func ClusterArg(args []string) (Server, error) {
	if len(args) != 1 {
		return Server{}, ErrNoServer
	}
	u, err := url.Parse(args[0])
	if err != nil || u.Scheme != "redis" || u.Hostname() == "" || u.RawQuery != "" && u.RawQuery != "cluster=true" {
		return Server{}, ErrNoServer // the argument is not repeated, as it may hold a password
	}
	password, _ := u.User.Password()
	return Server{
		Addr:     net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "6379")),
		Username: cmp.Or(u.User.Username(), "default"),
		Password: password,
		Cluster:  u.RawQuery != "",
	}, nil
}

// Auth returns the login. It has the type of the field Auth of a feed.Feed.
func (s Server) Auth(context.Context) (username, password string, err error) {
	return s.Username, s.Password, nil
}

// patience is the time that a server has to answer HELLO.
const patience = 5 * time.Second

// Dial returns a connection to s that speaks RESP3. Only the reply to HELLO has
// been read from it.
func (s Server) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	if err := s.hello(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (s Server) hello(conn net.Conn) error {
	args := []string{"HELLO", "3"}
	if s.Password != "" {
		args = append(args, "AUTH", s.Username, s.Password)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write(Command(args...)); err != nil {
		return err
	}
	rd := parser.NewReader(conn)
	defer rd.Release()
	reply, err := rd.Next() // the Reader holds no further bytes, as the server sends nothing more unasked
	if err != nil {
		return err
	}
	if err := Refused(reply); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// Refused returns an error if reply is an error reply.
func Refused(reply parser.Frame) error {
	switch reply.Type() {
	case parser.TypeSimpleError, parser.TypeBulkError:
		return fmt.Errorf("the server refused: %q", reply.Value().Bytes())
	}
	return nil
}

// Command returns a command as clients send it, an array of bulk strings.
func Command(args ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b
}
