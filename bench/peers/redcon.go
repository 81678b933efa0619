package peers

import (
	"errors"

	"github.com/tidwall/redcon"

	"github.com/seed79615202/respush/internal/test/workload"
)

// redconWalk walks a slice, since redcon's reply reader takes no other input.
var redconWalk = Peer{
	Name:   "redcon",
	Slice:  true,
	module: "github.com/tidwall/redcon",
	Note:   "RESP2, so a push is an array; walks the whole stream as one slice, without reads",
	Open: func(sc Scene) (*Run, error) {
		var err error
		if sc.Workload, err = inRESP2(sc.Workload); err != nil {
			return nil, err
		}
		tally := new(Tally)
		pushes := pushesByName()
		return newRun(sc, tally, func(s *workload.Stream) error {
			for b := s.Bytes; len(b) > 0; {
				n, r := redcon.ReadNextRESP(b)
				if n == 0 {
					return errors.New("peers: redcon stopped")
				}
				if r.Type == redcon.Array {
					n, name := redcon.ReadNextRESP(r.Data)
					if push, ok := pushes[string(name.Data)]; ok {
						tally.add(push, redconElements(r.Data[n:]))
					}
				}
				b = b[n:]
			}
			return nil
		}), nil
	},
}

// redconElements reads all elements in b.
func redconElements(b []byte) int {
	sum := 0
	for len(b) > 0 {
		n, r := redcon.ReadNextRESP(b)
		switch r.Type {
		case redcon.Bulk:
			sum += len(r.Data)
		case redcon.Integer:
			sum += int(r.Int())
		case redcon.Array:
			sum += redconElements(r.Data)
		}
		b = b[n:]
	}
	return sum
}
