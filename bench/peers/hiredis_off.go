//go:build !(hiredis && cgo)

package peers

// hiredisPeers is empty without cgo or the build tag hiredis.
var hiredisPeers []Peer
