package goredis

import (
	"reflect"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
)

// goRedis is the path of go-redis' package, as reflection has it.
const goRedis = "github.com/redis/go-redis/v9"

// drainsForAll is the version of go-redis that empties its idle connections with
// any processor, so that a cached value is dropped soon after it has changed.
// Later ones do it with their own only: what a cache is told of an idle
// connection stays in the socket, and a value that is read from the cache alone
// is old for ever. A version that is not known is taken for one of these.
const drainsForAll = "9.22.0"

// invalidate is the push that tells a cache what has changed.
const invalidate = "invalidate"

// reasonStale is why a cache of go-redis is refused.
const reasonStale = "client-side caching of go-redis v%s does not work with this processor: " +
	"go-redis empties idle connections with its own only, and cached values would be out of date"

// isCache reports whether handler is what drops changed values from go-redis' own
// cache. All that go-redis' package registers for that push itself is.
func isCache(name string, handler push.NotificationHandler) bool {
	if name != invalidate {
		return false
	}
	t := reflect.TypeOf(handler)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == goRedis
}

// cacheStaysFresh reports whether this go-redis can have a cache.
func cacheStaysFresh() bool { return redis.Version() == drainsForAll }
