package output_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
)

// A broken output fails every write.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestClosedOutputIsToldFromOtherFailures(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, true},
		{io.ErrClosedPipe, true},
		{syscall.ENOSPC, false},
	} {
		w := output.NewWriter(broken{test.err})
		_, err := w.Write(make([]byte, 1<<20))
		require.Equal(t, test.want, output.Closed(err), err)
		require.Equal(t, test.want, output.Closed(fmt.Errorf("wrapped: %w", err)))
	}
	require.False(t, output.Closed(syscall.EPIPE), "of a connection, not of the output")
	require.False(t, output.Closed(nil))
}

func TestWriterCollectsUntilFlushed(t *testing.T) {
	var out strings.Builder
	w := output.NewWriter(&out)
	_, err := io.WriteString(w, "collected")
	require.NoError(t, err)
	require.Empty(t, out.String())
	require.NoError(t, w.Flush())
	require.Equal(t, "collected", out.String())
}

func TestWriterMarksItsErrors(t *testing.T) {
	w := output.NewWriter(broken{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}})
	_, err := w.Write(make([]byte, 1<<20))
	var failure *output.Error
	require.ErrorAs(t, err, &failure)
	require.EqualError(t, err, "cannot write: no space left on device")
	require.ErrorAs(t, w.Flush(), &failure)
}

func TestFlushingReaderFlushesBeforeEachRead(t *testing.T) {
	flushed := 0
	rd := output.FlushingReader{Reader: strings.NewReader("text"), Flush: func() error { flushed++; return nil }}
	text, err := io.ReadAll(rd)
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
	require.Equal(t, 2, flushed)

	failure := errors.New("failure")
	rd.Flush = func() error { return failure }
	_, err = rd.Read(make([]byte, 1))
	require.Equal(t, failure, err)
}
