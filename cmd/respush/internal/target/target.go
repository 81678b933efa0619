// Package target reads the URL of a server.
package target

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const defaultPort = "6379"

// A Target is the address of a server and a login. Either Host or Socket is
// set. Password is empty if no login is wanted.
type Target struct {
	TLS      bool
	Host     string // without a port or brackets
	Port     string
	Socket   string // the path of a Unix socket
	User     string
	Password string
	DB       int
}

// Network returns the network of Address, as package net calls it.
func (t Target) Network() string {
	if t.Socket != "" {
		return "unix"
	}
	return "tcp"
}

// Address returns host:port, or the path of the socket.
func (t Target) Address() string {
	if t.Socket != "" {
		return t.Socket
	}
	return net.JoinHostPort(t.Host, t.Port)
}

// schemes are the URL schemes of servers on TCP. The value reports whether the
// scheme means TLS.
var schemes = map[string]bool{"redis": false, "valkey": false, "rediss": true, "valkeys": true}

// Parse reads redis://[user:password@]host[:port][/db], rediss:// for TLS,
// valkey:// and valkeys:// likewise, or unix://[user:password@]/path[?db=N].
// password is used if the URL has none, and may be empty too. The errors repeat
// no part of the text after its scheme, because any part may hold a password
// that was not percent-encoded.
func Parse(text, password string) (Target, error) {
	if !strings.Contains(text, "://") {
		return Target{}, errors.New("want redis://host:port, rediss://host:port or unix:///path")
	}
	u, err := url.Parse(text)
	if err != nil {
		// url.Error repeats the whole URL, and the causes below it repeat parts
		// of it.
		return Target{}, errors.New("not a valid URL (a password's @ : / ? # % must be percent-encoded)")
	}
	var t Target
	if u.Scheme == "unix" {
		t, err = socket(u)
	} else {
		t, err = host(u)
	}
	if err != nil {
		return Target{}, err
	}
	t.User, t.Password, err = login(u.User, password)
	if err != nil {
		return Target{}, err
	}
	return t, nil
}

// host sets the address of a server on TCP.
func host(u *url.URL) (Target, error) {
	tls, known := schemes[u.Scheme]
	if !known {
		return Target{}, fmt.Errorf("scheme %q: want redis, rediss, valkey, valkeys or unix", u.Scheme)
	}
	t := Target{TLS: tls, Host: u.Hostname(), Port: u.Port()}
	if t.Host == "" {
		return Target{}, errors.New("no host")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return Target{}, errors.New("nothing may follow the database number")
	}
	if t.Port == "" {
		t.Port = defaultPort
	}
	if n, err := strconv.Atoi(t.Port); err != nil || n < 1 || n > 65535 {
		return Target{}, errors.New("the port is not in 1-65535")
	}
	var err error
	t.DB, err = database(strings.TrimPrefix(u.Path, "/"))
	return t, err
}

// socket sets the address of a server on a Unix socket.
func socket(u *url.URL) (Target, error) {
	query, err := url.ParseQuery(u.RawQuery)
	number := query.Get("db")
	query.Del("db")
	switch {
	case u.Host != "":
		return Target{}, errors.New("a socket has no host: want three slashes, as in unix:///path")
	case strings.Trim(u.Path, "/") == "":
		return Target{}, errors.New("the path of the socket is missing")
	case err != nil || len(query) > 0 || u.Fragment != "":
		return Target{}, errors.New("nothing but ?db=N may follow the path of a socket")
	}
	t := Target{Socket: u.Path}
	t.DB, err = database(number)
	return t, err
}

// login returns the login of a URL. A user without a password takes the one
// from elsewhere.
func login(info *url.Userinfo, other string) (user, password string, err error) {
	password, _ = info.Password()
	if password == "" {
		password = other
	}
	user = info.Username()
	switch {
	case password == "" && info != nil:
		return "", "", errors.New("a user needs a password: redis://user:password@host, redis://:password@host, or REDISCLI_AUTH")
	case password != "" && user == "":
		user = "default"
	}
	return user, password, nil
}

// database reads the number of a database, which may be absent.
func database(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errors.New("the database is not a number")
	}
	return int(n), nil
}
