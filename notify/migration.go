package notify

import (
	"time"

	"github.com/seed79615202/respush/parser"
)

// Migration is a MIGRATING, MIGRATED, FAILING_OVER or FAILED_OVER push. The
// shards behind this connection are about to move or to fail over, or have done
// so. Commands take longer in between. A Migration is borrowed from the frame
// it was parsed from.
//
// Invariant: After is zero unless Timed is true.
type Migration struct {
	Kind   Name          // NameMigrating, NameMigrated, NameFailingOver or NameFailedOver
	Seq    int64         // sequence number of maintenance pushes; repeats across nodes and has gaps
	After  time.Duration // time until it begins; may be zero or negative
	Timed  bool          // whether the server sent After
	Shards []byte        // the shards as the server writes them; nil if it sent none
}

// ParseMigration parses a MIGRATING, MIGRATED, FAILING_OVER or FAILED_OVER
// push. The elements after the name are a sequence number, the seconds until it
// begins, for MIGRATING and FAILING_OVER only, and the shards. Seconds and
// shards may be missing. Seconds beyond the range of a Duration are limited to
// it. ParseMigration returns a [*ShapeError] for any other frame, and allocates
// only for that.
func ParseMigration(push parser.Frame) (Migration, error) {
	kind, family := lookup(push.Name())
	if family != FamilyMigration {
		return Migration{}, errFamily(push, FamilyMigration)
	}
	d := decoder{family: FamilyMigration, push: kind}
	m := Migration{Kind: kind}
	most := 3
	if m.Begins() {
		most = 4
	}
	d.read(push, 2, most)
	m.Seq = d.integer(1)
	next := 2
	// If only one of seconds and shards is there, its type tells which one it
	// is.
	if m.Begins() && (d.count == 4 || d.count == 3 && !isText(d.arguments[1])) {
		m.After, m.Timed = seconds(d.integer(2)), true
		next = 3
	}
	if next < d.count {
		m.Shards = d.text(next)
	}
	if d.err != nil {
		return Migration{}, d.err
	}
	return m, nil
}

// Begins reports whether m announces a migration or a failover. If not, m
// reports that one is over.
func (m Migration) Begins() bool { return m.Kind == NameMigrating || m.Kind == NameFailingOver }

// String returns a description of the migration on one line.
func (m Migration) String() string { return string(m.appendLine(nil)) }

func (m Migration) appendLine(dst []byte) []byte {
	dst = appendSeq(appendName(dst, m.Kind), m.Seq)
	if m.Timed {
		dst = appendAfter(dst, m.After)
	}
	if m.Shards != nil {
		dst = appendWord(append(dst, gap+"shards "...), m.Shards)
	}
	return dst
}
