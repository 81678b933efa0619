package peers

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/mediocregopher/radix/v4/resp"
	"github.com/mediocregopher/radix/v4/resp/resp3"

	"github.com/seed79615202/respush/internal/test/workload"
)

// radix decodes each push into receivers whose types depend on the push's name.
var radix = Peer{
	Name:   "radix",
	module: "github.com/mediocregopher/radix/v4",
	Note:   "resp3.Unmarshal into receivers of the push's types, which are reused for the next push",
	Open: func(sc Scene) (*Run, error) {
		r := newRadixReader()
		return newRun(sc, r.tally, func(s *workload.Stream) error { return r.drain(s, r.receive) }), nil
	},
}

// radixRaw copies each push as it is on the wire, always into the same memory.
var radixRaw = Peer{
	Name:   "radix-counts",
	Counts: true,
	Note:   "copies each push as one resp3.RawMessage and reads only its name",
	Open: func(sc Scene) (*Run, error) {
		r := newRadixReader()
		return newRun(sc, r.tally, func(s *workload.Stream) error { return r.drain(s, r.copyRaw) }), nil
	},
}

// radixReader reads a stream with radix. It reads pushes into the fields below
// opts.
type radixReader struct {
	tally    *Tally
	handlers map[string]radixHandler
	br       *bufio.Reader
	opts     *resp.Opts

	raw              resp3.RawMessage
	header           resp3.PushHeader
	name             []byte
	keys             radixKeys
	channel, payload []byte
	seq, seconds     int64
	endpoint         []byte
}

// radixHandler is a handler and the receivers of the elements after the name.
type radixHandler struct {
	push      int        // index into Names
	look      func() int // reads the receivers
	receivers []any
}

func newRadixReader() *radixReader {
	tally := new(Tally)
	r := &radixReader{tally: tally, br: bufio.NewReaderSize(nil, Reads), opts: resp.NewOpts()}
	r.opts.DisableErrorBubbling = true // avoids a copy of the options for each array
	pushes := pushesByName()
	r.handlers = map[string]radixHandler{
		"invalidate": {pushes["invalidate"], r.keys.look, []any{&r.keys}},
		"message": {pushes["message"], func() int { return len(r.channel) + len(r.payload) },
			[]any{&r.channel, &r.payload}},
		"MOVING": {pushes["MOVING"], func() int { return int(r.seq+r.seconds) + len(r.endpoint) },
			[]any{&r.seq, &r.seconds, &r.endpoint}},
	}
	return r
}

// drain reads all of s. It reads pushes with receive and discards replies.
func (r *radixReader) drain(s *workload.Stream, receive func() error) error {
	r.br.Reset(s)
	for {
		isPush, err := resp3.NextMessageIs(r.br, resp3.PushHeaderPrefix)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
		case isPush:
			err = receive()
		default:
			err = resp3.Unmarshal(r.br, nil, r.opts)
		}
		if err != nil {
			return err
		}
	}
}

// receive decodes the next push.
func (r *radixReader) receive() error {
	if err := r.header.UnmarshalRESP(r.br, r.opts); err != nil {
		return err
	}
	if err := resp3.Unmarshal(r.br, &r.name, r.opts); err != nil {
		return err
	}
	h := r.handlers[string(r.name)]
	for i := range r.header.NumElems - 1 {
		var receiver any // nil discards the element
		if i < len(h.receivers) {
			receiver = h.receivers[i]
		}
		if err := resp3.Unmarshal(r.br, receiver, r.opts); err != nil {
			return err
		}
	}
	if h.look != nil {
		r.tally.add(h.push, h.look())
	}
	return nil
}

// radixKeys receives the keys of an invalidation; a null has none. If the
// receiver were a plain [][]byte, radix would make a new slice for each key.
type radixKeys [][]byte

// look reads all keys.
func (k *radixKeys) look() int {
	n := 0
	for _, key := range *k {
		n += len(key)
	}
	return n
}

// UnmarshalRESP reads an array of strings or a null.
func (k *radixKeys) UnmarshalRESP(br resp.BufferedReader, opts *resp.Opts) error {
	*k = (*k)[:0]
	if isNull, err := resp3.NextMessageIs(br, resp3.NullPrefix); isNull || err != nil {
		return resp3.Unmarshal(br, nil, opts)
	}
	var header resp3.ArrayHeader
	if err := header.UnmarshalRESP(br, opts); err != nil {
		return err
	}
	for i := range header.NumElems {
		if i == cap(*k) {
			*k = append(*k, nil)
		}
		*k = (*k)[:i+1]
		if err := resp3.Unmarshal(br, &(*k)[i], opts); err != nil {
			return err
		}
	}
	return nil
}

// copyRaw copies the next push.
func (r *radixReader) copyRaw() error {
	if err := r.raw.UnmarshalRESP(r.br, r.opts); err != nil {
		return err
	}
	name := []byte(r.raw) // the lines are > and the count, $ and the length, and the name
	for range 2 {
		_, name, _ = bytes.Cut(name, []byte("\r\n"))
	}
	name, _, ok := bytes.Cut(name, []byte("\r\n"))
	if !ok {
		return errors.New("peers: a push without a name")
	}
	if h, ok := r.handlers[string(name)]; ok {
		r.tally.add(h.push, 0)
	}
	return nil
}
