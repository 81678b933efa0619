package goredis_test

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// maintainer is a proxy that agrees to send maintenance notifications, which its server knows nothing of, and sends those
// that it is given before the reply to the next command.
//
// Invariant, with mu held: pushes have not been sent; pings is how many commands of that name have come.
type maintainer struct {
	addr   string
	server string
	mu     sync.Mutex
	pushes string
	pings  int
}

func newMaintainer(t *testing.T, server string) *maintainer {
	m := &maintainer{server: server}
	m.addr = listen(t, m.serve)
	return m
}

func (m *maintainer) serve(client net.Conn) {
	server, err := net.Dial("tcp", m.server)
	if err != nil {
		return
	}
	defer server.Close()
	commands, replies := parser.NewReader(client), parser.NewReader(server)
	for {
		command, err := commands.Next()
		if err != nil {
			return
		}
		text := strings.ToLower(command.Value().String())
		if strings.HasPrefix(text, `["client" "maint_notifications"`) {
			_, err = client.Write([]byte("+OK\r\n"))
		} else if _, err = server.Write(command.Raw()); err == nil {
			var reply parser.Frame
			if reply, err = replies.Next(); err == nil {
				_, err = client.Write(append([]byte(m.next(text == `["ping"]`)), reply.Raw()...))
			}
		}
		if err != nil {
			return
		}
	}
}

// next returns what is to be sent before a reply.
func (m *maintainer) next(ping bool) (pushes string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ping {
		m.pings++
		pushes, m.pushes = m.pushes, ""
	}
	return pushes
}

func (m *maintainer) push(wire string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pushes += wire
}

func (m *maintainer) pinged() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pings
}

func TestMaintenanceNotifications(t *testing.T) {
	for name, p := range map[string]push.NotificationProcessor{"builtin": push.NewProcessor(), "respush": goredis.NewProcessor(nil)} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			here, there := newMaintainer(t, server.Addr), newMaintainer(t, server.Addr)
			opt := redis.Options{Addr: here.addr, PoolSize: 1}
			if !setMaintenance(&opt, "enabled") {
				t.Skip("this go-redis has no maintenance notifications, or by another name")
			}
			var last atomic.Pointer[push.NotificationHandlerContext]
			client := newClient(t, opt, newSpy(push.NotificationProcessor.ProcessPendingNotifications, p,
				func(handlerCtx push.NotificationHandlerContext) { last.Store(&handlerCtx) }))
			ping := func() { require.NoError(t, client.Ping(background).Err()) }
			relaxed := func() bool { return last.Load().Conn.(interface{ HasRelaxedTimeout() bool }).HasRelaxedTimeout() }

			for _, name := range []string{"MOVING", "MIGRATING", "MIGRATED", "FAILING_OVER", "FAILED_OVER"} {
				require.NotNil(t, p.GetHandler(name), name)
				require.True(t, push.IsProtectedHandlerError(p.UnregisterHandler(name)), name)
			}
			ping()
			require.False(t, relaxed())
			for _, pair := range [][2]string{{"MIGRATING", "MIGRATED"}, {"FAILING_OVER", "FAILED_OVER"}} {
				here.push(">4\r\n+" + pair[0] + "\r\n:1\r\n:10\r\n*1\r\n+1\r\n")
				ping()
				require.True(t, relaxed(), pair[0])
				here.push(">3\r\n+" + pair[1] + "\r\n:1\r\n*1\r\n+1\r\n")
				ping()
				require.False(t, relaxed(), pair[1])
			}

			here.push(">4\r\n+MOVING\r\n:2\r\n:30\r\n+" + there.addr + "\r\n")
			deadline := time.Now().Add(patience)
			for there.pinged() == 0 {
				ping()
				require.Less(t, time.Now(), deadline)
			}
		})
	}
}
