package peers

// Names are the pushes that have handlers.
var Names = [...]string{"invalidate", "message", "MOVING"}

// PushOf returns the name of the push in a workload, by the workload's ID.
func PushOf(id string) string {
	switch id {
	case "F3", "F4", "F5", "F6":
		return "message"
	case "F7":
		return "MOVING"
	}
	return "invalidate"
}

// A Tally is what handlers have counted, in the order of Names. It belongs to one goroutine at a time.
type Tally [len(Names)]int

// Of returns how often the handler for name was called.
func (t *Tally) Of(name string) int {
	for i, n := range Names {
		if n == name {
			return t[i]
		}
	}
	return 0
}

// Total returns how often any handler was called.
func (t *Tally) Total() int {
	n := 0
	for _, k := range t {
		n += k
	}
	return n
}

// handlers returns a handler for each name, for peers that have no registry of their own.
func (t *Tally) handlers() map[string]func() {
	m := make(map[string]func(), len(Names))
	for i, name := range Names {
		m[name] = func() { t[i]++ }
	}
	return m
}
