package parser

// CountWork returns how many bytes the scans and walks of f go over, those of the
// iterators, of Any, String and NestedPushes, a byte twice for two walks.
func CountWork(f func()) (bytes int) {
	onWalk = func(n int) { bytes += n }
	defer func() { onWalk = nil }()
	f()
	return bytes
}
