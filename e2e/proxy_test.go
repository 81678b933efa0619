package e2e_test

import (
	"context"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// A proxy is a toxiproxy in front of a server. Its toxics affect the bytes that
// the server sends.
type proxy struct {
	*toxiproxy.Proxy
	tb testing.TB
}

// startProxy runs a proxy until the end of the test. The toxics are in the JSON
// of toxiproxy's API.
func startProxy(tb testing.TB, upstream string, toxics ...string) *proxy {
	tb.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &proxy{Proxy: toxiproxy.NewProxy(server, "", "127.0.0.1:0", upstream), tb: tb}
	for _, toxic := range toxics {
		p.add(toxic)
	}
	require.NoError(tb, p.Start())
	tb.Cleanup(p.Stop)
	return p
}

// add adds a toxic, which also affects open connections.
func (p *proxy) add(toxic string) {
	p.tb.Helper()
	_, err := p.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(p.tb, err)
}

// remove removes a toxic by its name.
func (p *proxy) remove(name string) {
	p.tb.Helper()
	require.NoError(p.tb, p.Toxics.RemoveToxic(context.Background(), name))
}
