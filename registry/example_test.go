package registry_test

import (
	"fmt"

	"github.com/seed79615202/respush/registry"
)

func Example() {
	handlers := registry.New[func()]()
	_ = handlers.Register("invalidate", func() { fmt.Println("flush") }, true)

	name := []byte("invalidate") // Lookup neither copies nor retains it
	if handle, ok := handlers.Lookup(name); ok {
		handle()
	}
	fmt.Println(handlers.Register("invalidate", func() {}, false))
	fmt.Println(handlers.Unregister("invalidate"))
	// Output:
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
