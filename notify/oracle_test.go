package notify_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/notify"
)

// The oracle reads the tree that another parser has made of a push, by the table of known pushes, slowly. It tells what it
// finds as view.dump does; ok is false when the push has another shape.

var oracles = map[notify.Family]func(name string, args []*oracle.Node) (dump string, ok bool){
	notify.FamilyInvalidation:        oracleInvalidation,
	notify.FamilyMessage:             oracleMessage,
	notify.FamilySubscription:        oracleSubscription,
	notify.FamilyMoving:              oracleMoving,
	notify.FamilyMigration:           oracleMigration,
	notify.FamilySlotMigration:       oracleSlotMigration,
	notify.FamilyTrackingRedirBroken: oracleNumber,
	notify.FamilyServerCPUUsage:      oracleNumber,
}

// namesOf are the names of each family.
var namesOf = map[notify.Family]string{
	notify.FamilyInvalidation:        "invalidate",
	notify.FamilyMessage:             "message pmessage smessage",
	notify.FamilySubscription:        "subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe",
	notify.FamilyMoving:              "MOVING",
	notify.FamilyMigration:           "MIGRATING MIGRATED FAILING_OVER FAILED_OVER",
	notify.FamilySlotMigration:       "SMIGRATING SMIGRATED",
	notify.FamilyTrackingRedirBroken: "tracking-redir-broken",
	notify.FamilyServerCPUUsage:      "server-cpu-usage",
}

// familyOf returns the family that has a name.
func familyOf(name []byte) notify.Family {
	for family, names := range namesOf {
		for _, n := range strings.Fields(names) {
			if n == string(name) {
				return family
			}
		}
	}
	return notify.FamilyUnknown
}

// wanted is what the oracle finds in the push n when it is taken for one of a family.
func wanted(n *oracle.Node, family notify.Family) (dump string, ok bool) {
	name, ok := n.Name()
	if !ok || familyOf(name) != family {
		return "", false
	}
	return oracles[family](string(name), n.Children[1:])
}

func textOf(n *oracle.Node) (string, bool) {
	if n.Type != '$' && n.Type != '+' && n.Type != '=' {
		return "", false
	}
	return string(n.Content()), true
}

func integerOf(n *oracle.Node) (int64, bool) {
	if n.Type != ':' {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n.Text), 10, 64)
	return i, err == nil
}

func oracleInvalidation(_ string, args []*oracle.Node) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	return oracleKeys(args[0])
}

func oracleKeys(n *oracle.Node) (string, bool) {
	if n.Null() {
		return "all", true
	}
	keys := []*oracle.Node{n}
	if n.Type == '*' {
		keys = n.Children
	}
	var all []string
	for _, k := range keys {
		text, ok := textOf(k)
		if !ok {
			return "", false
		}
		all = append(all, strconv.Quote(text))
	}
	return strings.Join(all, " "), true
}

func oracleMessage(name string, args []*oracle.Node) (string, bool) {
	texts := 1
	if name == "pmessage" {
		texts = 2
	}
	if len(args) != texts+1 {
		return "", false
	}
	dump := name
	for _, n := range args[:texts] {
		text, ok := textOf(n)
		if !ok {
			return "", false
		}
		dump += " " + strconv.Quote(text)
	}
	dump += " " + oraclePayload(args[texts])
	if keys, ok := oracleKeys(args[texts]); ok && strings.HasPrefix(dump, `message "__redis__:invalidate" `) {
		dump += " invalidates " + keys
	}
	return dump, true
}

func oraclePayload(n *oracle.Node) string {
	switch n.Type {
	case '_':
		return "_"
	case ':', '(', ',', '#':
		return string(n.Type) + string(n.Text)
	case '*', '~', '%':
		var all []string
		for _, c := range n.Children {
			all = append(all, oraclePayload(c))
		}
		return string(n.Type) + "[" + strings.Join(all, " ") + "]"
	}
	return string(n.Type) + strconv.Quote(string(n.Content()))
}

func oracleSubscription(name string, args []*oracle.Node) (string, bool) {
	if len(args) != 2 {
		return "", false
	}
	ends := ""
	if strings.Contains(name, "unsubscribe") {
		ends = " ends"
	}
	channel := "null"
	if !args[0].Null() || ends == "" {
		text, ok := textOf(args[0])
		if !ok {
			return "", false
		}
		channel = strconv.Quote(text)
	}
	count, ok := integerOf(args[1])
	return fmt.Sprintf("%s %s %d%s", name, channel, count, ends), ok
}

// seconds is a number of seconds as a Duration.
func seconds(n int64) time.Duration {
	const most = 9223372036 // in an int64 of nanoseconds
	if n > most {
		n = most
	} else if n < -most {
		n = -most
	}
	return time.Duration(n) * time.Second
}

var endpoints = regexp.MustCompile(`^(?:\[([^\[\]]+)\]|([^\[\]]+)):([0-9]{1,5})$`)

func oracleMoving(_ string, args []*oracle.Node) (string, bool) {
	if len(args) != 2 && len(args) != 3 {
		return "", false
	}
	seq, ok1 := integerOf(args[0])
	after, ok2 := integerOf(args[1])
	if !ok1 || !ok2 {
		return "", false
	}
	dump := fmt.Sprintf("%d %s ", seq, seconds(after))
	if len(args) == 2 || args[2].Null() {
		return dump + "same", true
	}
	text, ok := textOf(args[2])
	if text == "null" || text == "<nil>" {
		return dump + "same", ok
	}
	m := endpoints.FindStringSubmatch(text)
	if !ok || m == nil {
		return "", false
	}
	port, _ := strconv.Atoi(m[3])
	return fmt.Sprintf("%s%q %d", dump, m[1]+m[2], port), port <= 65535
}

func oracleMigration(name string, args []*oracle.Node) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	seq, ok := integerOf(args[0])
	if !ok {
		return "", false
	}
	dump := fmt.Sprintf("%s %d", name, seq)
	rest, end := args[1:], ""
	if name == "MIGRATING" || name == "FAILING_OVER" {
		end = " begins"
		if len(rest) > 0 {
			if after, ok := integerOf(rest[0]); ok {
				dump += " in " + seconds(after).String()
				rest = rest[1:]
			} else if len(rest) == 2 {
				return "", false
			}
		}
	}
	switch len(rest) {
	case 0:
		return dump + " none" + end, true
	case 1:
		text, ok := textOf(rest[0])
		return dump + " " + strconv.Quote(text) + end, ok
	}
	return "", false
}

var (
	slotLists = regexp.MustCompile(`^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$`)
	slotChars = regexp.MustCompile(`^[-,0-9]+$`)
)

// slotsLike says whether n can be taken for slots where an endpoint may stand too.
func slotsLike(n *oracle.Node) bool {
	text, ok := textOf(n)
	return n.Type == ':' || ok && slotChars.MatchString(text)
}

func oracleSlots(n *oracle.Node) (string, bool) {
	text, ok := textOf(n)
	if n.Type == ':' {
		i, ok := integerOf(n)
		return strconv.FormatInt(i, 10), ok && i >= 0 && i <= 16383
	}
	if !ok || !slotLists.MatchString(text) {
		return "", false
	}
	var all []string
	for _, r := range strings.Split(text, ",") {
		first, last, _ := strings.Cut(r, "-")
		start, _ := strconv.Atoi(first)
		if last == "" {
			last = first
		}
		end, _ := strconv.Atoi(last)
		if start > end || end > 16383 {
			return "", false
		}
		if start == end {
			all = append(all, strconv.Itoa(start))
		} else {
			all = append(all, fmt.Sprintf("%d-%d", start, end))
		}
	}
	return strings.Join(all, ","), true
}

func oracleSlotMigration(name string, args []*oracle.Node) (string, bool) {
	if len(args) < 2 {
		return "", false
	}
	seq, ok := integerOf(args[0])
	if text, isText := textOf(args[0]); isText && name == "SMIGRATED" {
		var err error
		seq, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil
	}
	var all []string
	separator := ","
	if name == "SMIGRATED" {
		separator = "; "
		var good bool
		all, good = oracleMoves(args[1:], 0)
		ok = ok && good
	} else {
		for _, n := range args[1:] {
			text, good := oracleSlots(n)
			ok = ok && good
			all = append(all, text)
		}
	}
	return fmt.Sprintf("%s %d %s", name, seq, strings.Join(all, separator)), ok
}

// oracleMoves reads moves that have depth arrays around them.
func oracleMoves(nodes []*oracle.Node, depth int) (moves []string, ok bool) {
	for len(nodes) > 0 {
		if nodes[0].Type == '*' {
			inner, ok := oracleMoves(nodes[0].Children, depth+1)
			if !ok || depth == 2 || depth == 1 && len(inner) != 1 {
				return nil, false
			}
			moves = append(moves, inner...)
			nodes = nodes[1:]
			continue
		}
		var ends []string
		for len(nodes) > 0 && len(ends) < 2 && !slotsLike(nodes[0]) {
			text, ok := textOf(nodes[0])
			if !ok {
				return nil, false
			}
			ends = append(ends, strconv.Quote(text))
			nodes = nodes[1:]
		}
		if len(ends) == 0 || len(nodes) == 0 {
			return nil, false
		}
		slots, ok := oracleSlots(nodes[0])
		if !ok {
			return nil, false
		}
		if len(ends) == 1 {
			ends = []string{"", ends[0]}
		}
		moves = append(moves, ends[0]+">"+ends[1]+" "+slots)
		nodes = nodes[1:]
	}
	return moves, true
}

func oracleNumber(_ string, args []*oracle.Node) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	i, ok := integerOf(args[0])
	return strconv.FormatInt(i, 10), ok
}
