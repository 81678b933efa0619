package tail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

// patience is how long a server may take to answer each command of the set-up.
const patience = dial.Patience

// TLS says how to verify a TLS server, and what to show to it. All of it may be
// empty. The files are of PEM.
type TLS struct {
	CACert   string // file of the authorities to trust; empty: the system's
	Cert     string // file of the client's own certificate
	Key      string // file of its key
	SNI      string // name to ask for and to verify; empty: the host's
	Insecure bool   // do not verify the server
}

// Dial connects to t, over TLS if t says so.
func Dial(ctx context.Context, t target.Target, how TLS) (net.Conn, error) {
	if !t.TLS {
		return dial.Any(ctx, &net.Dialer{}, t.Network(), t.Address())
	}
	config, err := how.config(t.Host)
	if err != nil {
		return nil, err
	}
	return dial.TCP(ctx, &tls.Dialer{Config: config}, t.Address())
}

// config reads the files.
func (how TLS) config(host string) (*tls.Config, error) {
	config := &tls.Config{
		ServerName:         host,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: how.Insecure, // what --insecure asks for
	}
	if how.SNI != "" {
		config.ServerName = how.SNI
	}
	if how.CACert != "" {
		text, err := os.ReadFile(how.CACert)
		if err != nil {
			return nil, fmt.Errorf("--cacert %s: %w", how.CACert, cause(err))
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--cacert %s: no certificate in it", how.CACert)
		}
	}
	if how.Cert != "" {
		own, err := tls.LoadX509KeyPair(how.Cert, how.Key)
		if err != nil {
			return nil, fmt.Errorf("--cert %s, --key %s: %w", how.Cert, how.Key, err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

// cause returns what is wrong with a file, without its name.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
