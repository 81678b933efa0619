package parser

// Defaults of [Limits].
const (
	DefaultMaxFrame    = 1 << 30
	DefaultMaxBulk     = 512 << 20
	DefaultMaxElements = 16 << 20
	DefaultMaxDepth    = 128
)

// Limits bounds what a frame may announce. A field that is zero or negative
// means its default. A frame over a limit is reported as a [*LimitError] as
// soon as its header says so, before its bytes arrive.
type Limits struct {
	MaxFrame    int // bytes of one frame, attributes included; default 1 GiB
	MaxBulk     int // bytes of one bulk, verbatim or streamed string; default 512 MiB, the server's own cap
	MaxElements int // announced elements of one frame, all levels together, a pair counted as two; default 16 Mi
	MaxDepth    int // aggregates inside one another, the outermost counted; default 128
}

// resolved returns l with its defaults filled in.
func (l Limits) resolved() Limits {
	or := func(n, def int) int {
		if n <= 0 {
			return def
		}
		return n
	}
	return Limits{
		MaxFrame:    or(l.MaxFrame, DefaultMaxFrame),
		MaxBulk:     or(l.MaxBulk, DefaultMaxBulk),
		MaxElements: or(l.MaxElements, DefaultMaxElements),
		MaxDepth:    or(l.MaxDepth, DefaultMaxDepth),
	}
}
