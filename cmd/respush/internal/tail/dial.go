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

// patience is the time that a server may take to answer each command of the
// set-up.
const patience = dial.Patience

// TLS has the options for a TLS server. Each may be empty. The files are in PEM
// format.
type TLS struct {
	CACert   string // file of the authorities to trust; the system's if empty
	Cert     string // file of the client's certificate
	Key      string // file of its key
	SNI      string // name to ask for and to verify; the host's if empty
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

// config reads the files and returns the TLS configuration.
func (how TLS) config(host string) (*tls.Config, error) {
	config := &tls.Config{
		ServerName:         host,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: how.Insecure, // --insecure asks for this
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

// cause returns the cause of a file error, without the name of the file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
