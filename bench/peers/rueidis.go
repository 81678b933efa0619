package peers

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/seed79615202/respush/internal/test/workload"
)

// rueidisClient is a client that reads on a goroutine of its own, and has hooks instead of a registry.
var rueidisClient = Peer{
	Name:   "rueidis",
	module: "github.com/redis/rueidis",
	Note: "its hooks OnInvalidations and OnMessage; MOVING is read and dropped; a reply that was not asked for " +
		"would be a fault, so F9 includes sending its nine commands",
	Open:    openRueidis,
	ignores: func(name string) bool { return name == "MOVING" },
}

// replies is how many frames of F9 are no pushes.
const replies = 9

func openRueidis(w workload.Workload) (*Run, error) {
	tally := new(Tally)
	var last *conn // dialled
	var closing atomic.Bool
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{"memory:0"},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			last = newConn()
			return last, nil
		},
		Dialer:             net.Dialer{KeepAlive: -1}, // no pings while nothing happens
		ForceSingleClient:  true,
		DisableCache:       true,
		ClientSetInfo:      rueidis.DisableClientSetInfo,
		ReadBufferEachConn: Reads,
		OnInvalidations: func([]rueidis.RedisMessage) {
			if !closing.Load() { // each connection that ends counts as a flush
				tally[0]++
			}
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
	dedicated.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(rueidis.PubSubMessage) { tally[1]++ }})

	ask := func() error { return nil }
	asking := 0
	run := newRun(w, tally, func(s *workload.Stream) error {
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
	if w.Frames > 1 {
		ping := dedicated.B().Ping().Build().Pin()
		asking = replies * len("*1\r\n$4\r\nPING\r\n")
		ask = func() error { return askRueidis(dedicated, ping, run.Stream.Count) }
	}
	return run, nil
}

// askRueidis asks for the replies of n frames, some at a time.
func askRueidis(client rueidis.DedicatedClient, ping rueidis.Completed, n int) error {
	const most = 64 // frames
	commands := make([]rueidis.Completed, most*replies)
	for i := range commands {
		commands[i] = ping
	}
	for n > 0 {
		k := min(n, most)
		for _, r := range client.DoMulti(context.Background(), commands[:k*replies]...) {
			if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
		}
		n -= k
	}
	return nil
}
