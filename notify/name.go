package notify

// Name is the name of a push that this package knows, in its form on the wire.
// The Kind field of a view of several pushes, such as [Message], is a Name.
// [FamilyOf] returns the [Family] of a name.
type Name string

// The names of the known pushes. They are untyped, so each is both a Name and a
// string.
const (
	NameInvalidate          = "invalidate"
	NameMessage             = "message"
	NamePMessage            = "pmessage"
	NameSMessage            = "smessage"
	NameSubscribe           = "subscribe"
	NamePSubscribe          = "psubscribe"
	NameSSubscribe          = "ssubscribe"
	NameUnsubscribe         = "unsubscribe"
	NamePUnsubscribe        = "punsubscribe"
	NameSUnsubscribe        = "sunsubscribe"
	NameMoving              = "MOVING"
	NameMigrating           = "MIGRATING"
	NameMigrated            = "MIGRATED"
	NameFailingOver         = "FAILING_OVER"
	NameFailedOver          = "FAILED_OVER"
	NameSMigrating          = "SMIGRATING"
	NameSMigrated           = "SMIGRATED"
	NameTrackingRedirBroken = "tracking-redir-broken"
	NameServerCPUUsage      = "server-cpu-usage"
)

// Family is a group of pushes that share a Parse function. The zero Family is
// [FamilyUnknown].
type Family uint8

// The families, and the names of their pushes.
const (
	FamilyUnknown             Family = iota // any other name, or none
	FamilyInvalidation                      // invalidate
	FamilyMessage                           // message, pmessage, smessage
	FamilySubscription                      // subscribe, unsubscribe, and their forms with p and s
	FamilyMoving                            // MOVING
	FamilyMigration                         // MIGRATING, MIGRATED, FAILING_OVER, FAILED_OVER
	FamilySlotMigration                     // SMIGRATING, SMIGRATED
	FamilyTrackingRedirBroken               // tracking-redir-broken
	FamilyServerCPUUsage                    // server-cpu-usage
)

// families holds the results of Family.String.
var families = [...]string{
	FamilyUnknown:             "unknown",
	FamilyInvalidation:        "invalidation",
	FamilyMessage:             "message",
	FamilySubscription:        "subscription",
	FamilyMoving:              "moving",
	FamilyMigration:           "migration",
	FamilySlotMigration:       "slot migration",
	FamilyTrackingRedirBroken: "broken redirection",
	FamilyServerCPUUsage:      "server CPU usage",
}

// String returns the family in lower-case words, such as "slot migration".
func (f Family) String() string {
	if int(f) >= len(families) {
		f = FamilyUnknown
	}
	return families[f]
}

// FamilyOf returns the family of the pushes called name, and [FamilyUnknown] if
// there is none. The family says which Parse function reads such a push. The
// Kind field of the parsed view then holds the [Name], which tells the members
// of a family apart. FamilyOf compares name byte by byte, does not retain it,
// and does not allocate.
func FamilyOf(name []byte) Family {
	_, family := lookup(name)
	return family
}

// lookup returns the known name that equals name, and its family.
func lookup(name []byte) (Name, Family) {
	switch string(name) {
	case NameInvalidate:
		return NameInvalidate, FamilyInvalidation
	case NameMessage:
		return NameMessage, FamilyMessage
	case NamePMessage:
		return NamePMessage, FamilyMessage
	case NameSMessage:
		return NameSMessage, FamilyMessage
	case NameSubscribe:
		return NameSubscribe, FamilySubscription
	case NamePSubscribe:
		return NamePSubscribe, FamilySubscription
	case NameSSubscribe:
		return NameSSubscribe, FamilySubscription
	case NameUnsubscribe:
		return NameUnsubscribe, FamilySubscription
	case NamePUnsubscribe:
		return NamePUnsubscribe, FamilySubscription
	case NameSUnsubscribe:
		return NameSUnsubscribe, FamilySubscription
	case NameMoving:
		return NameMoving, FamilyMoving
	case NameMigrating:
		return NameMigrating, FamilyMigration
	case NameMigrated:
		return NameMigrated, FamilyMigration
	case NameFailingOver:
		return NameFailingOver, FamilyMigration
	case NameFailedOver:
		return NameFailedOver, FamilyMigration
	case NameSMigrating:
		return NameSMigrating, FamilySlotMigration
	case NameSMigrated:
		return NameSMigrated, FamilySlotMigration
	case NameTrackingRedirBroken:
		return NameTrackingRedirBroken, FamilyTrackingRedirBroken
	case NameServerCPUUsage:
		return NameServerCPUUsage, FamilyServerCPUUsage
	}
	return "", FamilyUnknown
}

// Kind is FamilyOf.
//
// Deprecated: use [FamilyOf]. The Kind field of a view holds a [Name].
func Kind(name []byte) Family { return FamilyOf(name) }
