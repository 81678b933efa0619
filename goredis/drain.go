package goredis

import "reflect"

// isDrain reports whether client, from a handler context, is what go-redis passes
// when it empties a connection for client-side caching. No reply may be awaited
// then, so that waiting for one costs the whole of a read deadline; where one is,
// go-redis asks again until a reply is next. Every other call has a pointer here,
// or nil, and comes before a reply. With a go-redis that passes something else
// in such a call, it costs the wait.
func isDrain(client any) bool {
	t := reflect.TypeOf(client)
	return t != nil && t.Kind() == reflect.Struct &&
		t.Name() == "cscHandlerClient" && t.PkgPath() == goRedis
}
