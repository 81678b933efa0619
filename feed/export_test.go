package feed

// Pending returns the number of calls of Subscribe and Unsubscribe that wait.
func (f *Feed) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.changes)
}

// Shutting reports whether Shutdown has been called.
func (f *Feed) Shutting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shutting
}

// Wants reports whether a subscription is wanted.
func (c *Cluster) Wants(kind Kind, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, wanted := c.wanted[kind][name]
	return wanted
}
