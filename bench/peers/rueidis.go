package peers

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/seed79615202/respush/internal/test/workload"
)

// rueidisClient is a client that reads on its own goroutine and has hooks
// instead of a registry.
var rueidisClient = Peer{
	Name:   "rueidis",
	module: "github.com/redis/rueidis",
	Note: "its hooks OnInvalidations and OnMessage; it reads and drops MOVING; it takes an unrequested reply for " +
		"an error, so F9 and W0 include sending the commands, up to 576 at a time",
	Open:    openRueidis,
	ignores: func(name string) bool { return name == "MOVING" },
}

func openRueidis(sc Scene) (*Run, error) {
	tally := new(Tally)
	var last *conn // the connection dialled last
	var closing atomic.Bool
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{"memory:0"},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			last = newConn()
			return last, nil
		},
		Dialer:             net.Dialer{KeepAlive: -1}, // sends no pings on an idle connection
		ForceSingleClient:  true,
		DisableCache:       true,
		ClientSetInfo:      rueidis.DisableClientSetInfo,
		ReadBufferEachConn: Reads,
		OnInvalidations: func(keys []rueidis.RedisMessage) {
			if closing.Load() {
				return // rueidis reports a flush for each connection that ends
			}
			n := 0
			for i := range keys {
				key, _ := keys[i].ToString() // a key that is not a string makes the sum wrong
				n += len(key)
			}
			tally.add(0, n)
		},
	})
	if err != nil {
		return nil, err
	}
	// Hooks belong to a dedicated connection, which is the last one dialled.
	dedicated, release := client.Dedicate()
	if err := dedicated.Do(context.Background(), dedicated.B().Ping().Build()).Error(); err != nil {
		release()
		client.Close()
		return nil, err
	}
	dedicated.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		tally.add(1, len(m.Channel)+len(m.Message))
	}})

	ask := func() error { return nil }
	asking := 0
	run := newRun(sc, tally, func(s *workload.Stream) error {
		last.play(s, asking)
		if err := ask(); err != nil {
			return err
		}
		return last.idle()
	})
	run.Close = func() {
		closing.Store(true)
		_ = last.Close() // release would wait for replies that do not come
		release()
		client.Close()
	}
	if sc.Replies > 0 {
		ping := dedicated.B().Ping().Build().Pin()
		asking = sc.Replies * len("*1\r\n$4\r\nPING\r\n")
		ask = func() error { return askRueidis(dedicated, ping, sc.Replies*run.Stream.Count) }
	}
	return run, nil
}

// askRueidis asks for n replies, up to 576 at a time.
func askRueidis(client rueidis.DedicatedClient, ping rueidis.Completed, n int) error {
	const most = 64 * 9 // a multiple of the nine replies in a group of F9
	commands := make([]rueidis.Completed, most)
	for i := range commands {
		commands[i] = ping
	}
	for n > 0 {
		k := min(n, most)
		for _, r := range client.DoMulti(context.Background(), commands[:k]...) {
			if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
		}
		n -= k
	}
	return nil
}
