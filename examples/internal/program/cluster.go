package program

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
)

// Client returns a client of s, or of its cluster if s.Cluster is set.
func (s Server) Client() redis.UniversalClient {
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{s.Addr}, Username: s.Username, Password: s.Password, IsClusterMode: s.Cluster,
	})
}

// Node returns a client of the server at addr, which is s or a node of its
// cluster.
func (s Server) Node(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, Username: s.Username, Password: s.Password})
}

// Topology returns the topology of client's cluster. If client is not one of a
// cluster, s is the only primary and has every slot.
func (s Server) Topology(client redis.UniversalClient) feed.Topology {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return goredis.ClusterTopology(cluster)
	}
	return feed.Static(feed.Node{Addr: s.Addr, Slots: feed.AllSlots()})
}

// uncertain is what Get returns instead of an address.
const uncertain = "?"

// Get reads a key. It also returns the address of the primary that answered, or
// a text that is not an address if client had to ask several nodes.
func Get(ctx context.Context, client redis.UniversalClient, key string) (value, addr string, err error) {
	var node *redis.Client
	switch client := client.(type) {
	case *redis.Client:
		node = client
	case *redis.ClusterClient:
		node, err = client.MasterForKey(ctx, key)
	}
	if err == nil {
		value, err = node.Get(ctx, key).Result()
		if err == nil || err == redis.Nil {
			return value, node.Options().Addr, err
		}
	}
	value, err = client.Get(ctx, key).Result() // follows redirections
	return value, uncertain, err
}
