package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/tap"
)

// The test has 256 MiB of replies pass a tap, with pushes between them.
func TestLargeRepliesPassATapInConstantMemory(t *testing.T) {
	const fetches, most = 16, 1 << 20 // the most that may be allocated in all, by the test too
	size := 16 << 20
	if testing.Short() {
		size = 1 << 20
	}
	server := redistest.Start(t)
	other := server.Dial(t)
	size -= size % len(pushLike)
	other.Do("EVAL", "redis.call('SET', KEYS[1], string.rep(ARGV[1], ARGV[2])) return 1", "1", "big", pushLike, strconv.Itoa(size/len(pushLike)))

	conn, err := net.Dial("tcp", server.Addr)
	require.NoError(t, err)
	var told journal
	tapped := tap.NewConn(conn, newProcessor(t, dispatch.WithFallback(&told)))
	defer tapped.Close()
	require.NoError(t, tapped.SetDeadline(time.Now().Add(patience)))
	require.NoError(t, handshake(t, tapped, setUp))

	fetch := redistest.Append(nil, "GET", "big")
	header := fmt.Sprintf("$%d\r\n", size)
	pattern := strings.Repeat(pushLike, 2+bufferSize/len(pushLike))
	rd := bufio.NewReaderSize(tapped, bufferSize)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	for i := range fetches {
		other.Do("SET", fmt.Sprintf("o:%04d", i), "x")
		require.NoError(t, tapped.SetDeadline(time.Now().Add(patience)))
		_, err = tapped.Write(fetch)
		require.NoError(t, err)
		requireNext(t, rd, header)
		for read := 0; read < size; {
			_, err = rd.Peek(1)
			require.NoError(t, err)
			b, err := rd.Peek(min(size-read, rd.Buffered()))
			require.NoError(t, err)
			at := read % len(pushLike)
			if string(b) != pattern[at:at+len(b)] { // not to be shown
				require.FailNow(t, "a reply differs", "fetch %d near %d", i, read)
			}
			n, err := rd.Discard(len(b))
			require.NoError(t, err)
			read += n
		}
		requireNext(t, rd, "\r\n")
	}
	runtime.ReadMemStats(&end)
	require.Less(t, end.TotalAlloc-start.TotalAlloc, uint64(most))
	require.Len(t, told.all(), fetches)
}

// bufferSize is what a client reads at once.
const bufferSize = 64 << 10

// requireNext requires that rd goes on with text.
func requireNext(t *testing.T, rd io.Reader, text string) {
	t.Helper()
	b := make([]byte, len(text))
	_, err := io.ReadFull(rd, b)
	require.NoError(t, err)
	require.Equal(t, text, string(b))
}
