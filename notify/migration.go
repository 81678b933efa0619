package notify

import (
	"time"

	"github.com/seed79615202/respush/parser"
)

// Migration is a MIGRATING, MIGRATED, FAILING_OVER or FAILED_OVER push: the
// shards behind this connection are about to be moved or failed over, or have
// been, and commands take longer meanwhile. It is borrowed from the frame it was
// parsed from.
//
// Invariant: After is zero unless Timed.
type Migration struct {
	Kind   Name          // NameMigrating, NameMigrated, NameFailingOver or NameFailedOver
	Seq    int64         // repeats across nodes, has gaps, and is shared with other maintenance pushes
	After  time.Duration // until it begins; may be zero or negative
	Timed  bool          // the server sent After
	Shards []byte        // the shards as the server writes them; nil when it sent none
}

// ParseMigration returns the migration that push is: a sequence number, for
// MIGRATING and FAILING_OVER seconds, and shards. Seconds and shards may be
// missing. Seconds beyond what a Duration holds become the longest it does.
// Anything else is a [*ShapeError]. It does not allocate but for that.
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
	// Where either of two may be missing, its type tells which of them is there.
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

// Begins reports whether m announces something; otherwise it is over.
func (m Migration) Begins() bool { return m.Kind == NameMigrating || m.Kind == NameFailingOver }

// String returns the migration in words on one line.
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
