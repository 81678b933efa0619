package notify_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// maxInput is the maximum length in bytes of the inputs that a target uses.
const maxInput = 4 << 10

// fuzz compares the views of a family with the oracle, for frames, and for elements that it puts behind each name of the
// family, which reaches deep shapes faster. A clone must give the same view after the original has been overwritten.
func fuzz(f *testing.F, family notify.Family, names ...notify.Name) {
	for of, all := range shapes() {
		for _, s := range all {
			wire := s.bytes()
			f.Add(byte(0), byte(0), wire)
			tree := oracle.Parse(wire, oracle.Limits{}).Tree
			name, ok := tree.Name()
			if named := slices.Index(names, notify.Name(name)); ok && of == family && named >= 0 {
				f.Add(byte(named+1), byte(len(tree.Children)), wire[tree.Children[0].End:])
			}
		}
	}
	captures, err := vectors.Captures("../testdata/captures")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range captures {
		for i, frame := range c.Frames() {
			if i < 16 && len(frame) < maxInput {
				f.Add(byte(0), byte(0), frame)
			}
		}
	}
	f.Fuzz(func(t *testing.T, named, count byte, input []byte) {
		if len(input) > maxInput {
			return
		}
		wire := bytes.Clone(input) // the engine owns input; wire is overwritten below
		if named > 0 {
			wire = push(names[int(named-1)%len(names)], count, input)
		}
		frame, n, err := parser.Parse(wire)
		if err != nil {
			return
		}
		wire = wire[:n]
		if _, d := disagreement(wire); d != "" {
			t.Fatalf("%q: %s", wire, d)
		}
		v, err := views[family](frame)
		if err != nil {
			return
		}
		dump, line := v.dump(), v.String()
		if v, err = views[family](frame.Clone()); err != nil {
			t.Fatalf("%q: clone: %v", wire, err)
		}
		for i := range wire {
			wire[i] = 'X'
		}
		if v.dump() != dump || v.String() != line {
			t.Fatalf("%s: clone: %s, %s", dump, v.dump(), v)
		}
	})
}

// push returns a push that announces up to 9 elements, of which the first is a name.
func push(name notify.Name, count byte, elements []byte) []byte {
	wire := append([]byte{'>'}, '0'+count%10)
	wire = append(append(wire, "\r\n+"...), name...)
	return append(append(wire, "\r\n"...), elements...)
}

func FuzzInvalidation(f *testing.F) { fuzz(f, notify.FamilyInvalidation, notify.NameInvalidate) }

func FuzzMessage(f *testing.F) {
	fuzz(f, notify.FamilyMessage, notify.NameMessage, notify.NamePMessage, notify.NameSMessage)
}

func FuzzSubscription(f *testing.F) {
	fuzz(f, notify.FamilySubscription, notify.NameSubscribe, notify.NamePSubscribe, notify.NameSSubscribe,
		notify.NameUnsubscribe, notify.NamePUnsubscribe, notify.NameSUnsubscribe)
}

func FuzzMoving(f *testing.F) { fuzz(f, notify.FamilyMoving, notify.NameMoving) }

func FuzzMigration(f *testing.F) {
	fuzz(f, notify.FamilyMigration, notify.NameMigrating, notify.NameMigrated, notify.NameFailingOver, notify.NameFailedOver)
}

func FuzzSlotMigration(f *testing.F) {
	fuzz(f, notify.FamilySlotMigration, notify.NameSMigrating, notify.NameSMigrated)
}

func FuzzTrackingRedirBroken(f *testing.F) {
	fuzz(f, notify.FamilyTrackingRedirBroken, notify.NameTrackingRedirBroken)
}

func FuzzServerCPUUsage(f *testing.F) {
	fuzz(f, notify.FamilyServerCPUUsage, notify.NameServerCPUUsage)
}
