package registry_test

import (
	"fmt"

	"github.com/seed79615202/respush/registry"
)

func Example() {
	flush := func() { fmt.Println("flush") }
	var r registry.Registry[func()]
	err := r.Register("invalidate", flush, true)
	fmt.Println(err)

	name := []byte("invalidate") // Lookup neither copies nor retains it
	if h, ok := r.Lookup(name); ok {
		h()
	}
	fmt.Println(r.Register("invalidate", flush, false))
	fmt.Println(r.Unregister("invalidate"))
	// Output:
	// <nil>
	// flush
	// handler register failed for 'invalidate': cannot overwrite existing handler
	// handler unregister failed for 'invalidate': handler is protected
}

// A name that is registered during the iteration does not affect it.
func ExampleRegistry_All() {
	handlers := registry.New[int]()
	_ = handlers.Register("MOVING", 1, false)
	for name, h := range handlers.All() {
		_ = handlers.Register("MIGRATING", 2, false)
		fmt.Println(name, h)
	}
	fmt.Println(handlers.Len())
	// Output:
	// MOVING 1
	// 2
}
