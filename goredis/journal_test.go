package goredis_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/parser"
)

// journal is what came out of a stream, in order: pushes that were handled, and replies that were read.
type journal struct {
	mu      sync.Mutex
	entries []string
}

func (j *journal) add(entry string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry)
}

// pushEntry is the entry for a push; of a large one it has a checksum.
func pushEntry(push parser.Frame) string {
	entry := "push "
	if a := push.Attributes(); a.Len() > 0 {
		entry += a.String() + " "
	}
	if entry += push.Value().String(); len(entry) > 200 {
		entry = fmt.Sprintf("%.60s... %d bytes, %08x", entry, len(push.Raw()), crc32.ChecksumIEEE(push.Raw()))
	}
	return entry
}

// pushIn is the entry for the push that wire is.
func pushIn(t *testing.T, wire string) string {
	f, n, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	require.Len(t, wire, n)
	return pushEntry(f)
}

// processor returns a processor that writes every push into the journal.
func (j *journal) processor(opts ...dispatch.Option) *goredis.Processor {
	opts = append(opts, dispatch.WithFallback(dispatch.HandlerFunc(j.handle)))
	return goredis.NewProcessor(dispatch.NewProcessor(opts...))
}

// handle writes a push into the journal.
func (j *journal) handle(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	j.add(pushEntry(push))
	return nil
}

// read reads n replies as go-redis does, and writes them into the journal.
func (j *journal) read(t *testing.T, l *link, n int, context ...any) {
	t.Helper()
	for range n {
		require.NoError(t, l.process(), context...)
		reply, err := l.rd.ReadReply()
		require.NoError(t, err, context...)
		j.add(fmt.Sprint("reply ", reply))
	}
}
