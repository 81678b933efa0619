package parser

// CountWork returns how many bytes the scans and walks of f go over, those of the
// iterators, of Any, String and NestedPushes, a byte twice for two walks.
func CountWork(f func()) (bytes int) {
	onWalk = func(n int) { bytes += n }
	defer func() { onWalk = nil }()
	f()
	return bytes
}

// NewShallowScanner returns a Scanner as Parse uses one first, which does not
// allocate for its stack.
func NewShallowScanner() *Scanner {
	s := NewScanner(Limits{})
	s.shallow = true
	return s
}

// Plain returns how many bytes the fast path consumes of p, which s is to scan.
func (s *Scanner) Plain(p []byte) int { return s.plain(p, 0, untilEnd) }

// ShortPush returns the length of the push that p begins with if it is one that
// the Scanner need not look at, and 0 otherwise.
func ShortPush(p []byte) int {
	_, n := shortPush(p)
	return n
}
