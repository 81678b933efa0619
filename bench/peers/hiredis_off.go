//go:build !(hiredis && cgo)

package peers

// hiredisPeers needs the build tag hiredis and the C library.
var hiredisPeers []Peer
