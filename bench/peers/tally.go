package peers

// Names lists the names of the pushes that have handlers.
var Names = [...]string{"invalidate", "message", "MOVING"}

// PushOf returns the name of the push in the workload with the given ID.
func PushOf(id string) string {
	switch id {
	case "F3", "F4", "F5", "F6":
		return "message"
	case "F7":
		return "MOVING"
	}
	return "invalidate"
}

// A Tally counts what handlers have seen. It belongs to one goroutine at a
// time.
type Tally struct {
	Pushes   [len(Names)]int // in the order of Names
	Elements int             // the sum of all elements after the names: lengths of strings and values of integers
}

// add adds a push and the sum of its elements.
func (t *Tally) add(push, elements int) {
	t.Pushes[push]++
	t.Elements += elements
}

// Of returns how often the handler for name was called.
func (t *Tally) Of(name string) int {
	for i, n := range Names {
		if n == name {
			return t.Pushes[i]
		}
	}
	return 0
}

// Total returns how often any handler was called.
func (t *Tally) Total() int {
	n := 0
	for _, k := range t.Pushes {
		n += k
	}
	return n
}

// pushesByName returns the index of each name in Names, for peers that have no
// registry.
func pushesByName() map[string]int {
	m := make(map[string]int, len(Names))
	for i, name := range Names {
		m[name] = i
	}
	return m
}
