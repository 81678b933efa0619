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

// A Target is where a server is and what to log in with. Host is never empty;
// Password is empty when no login is wanted.
type Target struct {
	TLS      bool
	Host     string // without a port or brackets
	Port     string
	User     string
	Password string
	DB       int
}

// Address returns host:port.
func (t Target) Address() string { return net.JoinHostPort(t.Host, t.Port) }

// Parse reads redis://[user:password@]host[:port][/db], or rediss:// for TLS.
// Its errors repeat no part of the text after its scheme: a password that was
// not percent-encoded can land in any of them.
func Parse(text string) (Target, error) {
	if !strings.Contains(text, "://") {
		return Target{}, errors.New("want redis://host:port or rediss://host:port")
	}
	u, err := url.Parse(text)
	if err != nil {
		// url.Error repeats the whole URL, and the causes below it parts of it.
		return Target{}, errors.New("not a valid URL (a password's @ : / ? # % must be percent-encoded)")
	}
	t := Target{Host: u.Hostname(), Port: u.Port()}
	switch u.Scheme {
	case "redis":
	case "rediss":
		t.TLS = true
	default:
		return Target{}, fmt.Errorf("scheme %q: want redis:// or rediss://", u.Scheme)
	}
	if t.Host == "" {
		return Target{}, errors.New("no host")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return Target{}, errors.New("nothing may follow the database number")
	}
	return t.withRest(u)
}

// withRest checks and adds the port, the login and the database.
func (t Target) withRest(u *url.URL) (Target, error) {
	if t.Port == "" {
		t.Port = defaultPort
	}
	if n, err := strconv.Atoi(t.Port); err != nil || n < 1 || n > 65535 {
		return Target{}, errors.New("the port is not in 1-65535")
	}
	var err error
	if t.User, t.Password, err = login(u.User); err != nil {
		return Target{}, err
	}
	if t.DB, err = database(u.Path); err != nil {
		return Target{}, err
	}
	return t, nil
}

func login(info *url.Userinfo) (user, password string, err error) {
	if info == nil {
		return "", "", nil
	}
	password, _ = info.Password()
	if password == "" {
		return "", "", errors.New("a user needs a password: redis://user:password@host (or redis://:password@host)")
	}
	user = info.Username()
	if user == "" {
		user = "default"
	}
	return user, password, nil
}

func database(path string) (int, error) {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(path, 10, 31)
	if err != nil {
		return 0, errors.New("the database is not a number")
	}
	return int(n), nil
}
