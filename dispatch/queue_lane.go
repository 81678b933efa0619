package dispatch

import (
	"hash/maphash"

	"github.com/seed79615202/respush/parser"
)

// invalidate is the name of the pushes that CoalesceToFlush replaces.
const invalidate = "invalidate"

// maintenance is the lane of all maintenance pushes.
var maintenance = []byte("maintenance")

// isMaintenance reports whether name is that of a push that opens or closes a
// maintenance window of a server.
func isMaintenance(name []byte) bool {
	switch string(name) {
	case "MOVING", "MIGRATING", "MIGRATED", "FAILING_OVER", "FAILED_OVER", "SMIGRATING", "SMIGRATED":
		return true
	}
	return false
}

// laneOf returns the lane of a push, borrowed from it. Lanes with the same
// text, such as those of a channel and a pattern of the same name, are one
// lane.
func laneOf(push parser.Frame) []byte {
	name := push.Name()
	switch {
	case parser.IsPubSub(name):
		for about := range push.Args() { // the channel or the pattern comes first
			return about.Bytes()
		}
	case isMaintenance(name):
		return maintenance
	}
	return name
}

// shardOf returns the shard that delivers push.
func (q *Queue) shardOf(push parser.Frame) *shard {
	if len(q.shards) == 1 {
		return &q.shards[0]
	}
	return q.shardFor(laneOf(push))
}

// shardFor returns the shard that delivers a lane.
func (q *Queue) shardFor(lane []byte) *shard {
	return &q.shards[maphash.Bytes(q.seed, lane)%uint64(len(q.shards))]
}
