package feed_test

import (
	"fmt"

	"github.com/seed79615202/respush/feed"
)

// A value that is invalidated while it is on its way is not kept.
func ExampleGuard() {
	var guard feed.Guard
	cache := make(map[string]string)
	onInvalidate := func(key string) { // what the handler does
		guard.Invalidate([]byte(key))
		delete(cache, key)
	}
	get := func(key string, fetch func() string) string {
		load := guard.Begin(key) // before the read is sent
		value := fetch()
		if !load.Keep(func() { cache[key] = value }) {
			fmt.Println("not kept:", value)
		}
		return value
	}

	get("user:1", func() string { return "Ada" })
	fmt.Println(cache)
	onInvalidate("user:1")
	get("user:1", func() string {
		onInvalidate("user:1") // it overtakes the reply
		return "Bob"
	})
	fmt.Println(cache)
	// Output:
	// map[user:1:Ada]
	// not kept: Bob
	// map[]
}

// A read that fails has no value to keep.
func ExampleLoad_Abandon() {
	var guard feed.Guard
	read := func(fetch func() error) error {
		load := guard.Begin("user:1")
		defer load.Abandon() // does nothing after Keep
		if err := fetch(); err != nil {
			return err
		}
		load.Keep(func() {})
		return nil
	}
	fmt.Println(read(func() error { return fmt.Errorf("connection lost") }), guard.Loading())
	// Output: connection lost 0
}
