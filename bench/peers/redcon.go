package peers

import (
	"errors"

	"github.com/tidwall/redcon"

	"github.com/seed79615202/respush/internal/test/workload"
)

// redconWalk walks a slice: redcon's reader of replies has no other input.
var redconWalk = Peer{
	Name:   "redcon",
	module: "github.com/tidwall/redcon",
	Note:   "RESP2, so that a push is an array; walks all of the stream as one slice, with no reads",
	Open: func(w workload.Workload) (*Run, error) {
		w, err := inRESP2(w)
		if err != nil {
			return nil, err
		}
		tally := new(Tally)
		handlers := tally.handlers()
		return newRun(w, tally, func(s *workload.Stream) error {
			for b := s.Bytes; len(b) > 0; {
				n, r := redcon.ReadNextRESP(b)
				if n == 0 {
					return errors.New("peers: redcon stopped")
				}
				if r.Type == redcon.Array {
					_, name := redcon.ReadNextRESP(r.Data)
					if handle, ok := handlers[string(name.Data)]; ok {
						handle()
					}
				}
				b = b[n:]
			}
			return nil
		}), nil
	},
}
