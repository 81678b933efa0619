package notify

// Name is the name of a push that this package knows, as it is on the wire.
type Name string

// The names of the known pushes.
const (
	NameInvalidate          Name = "invalidate"
	NameMessage             Name = "message"
	NamePMessage            Name = "pmessage"
	NameSMessage            Name = "smessage"
	NameSubscribe           Name = "subscribe"
	NamePSubscribe          Name = "psubscribe"
	NameSSubscribe          Name = "ssubscribe"
	NameUnsubscribe         Name = "unsubscribe"
	NamePUnsubscribe        Name = "punsubscribe"
	NameSUnsubscribe        Name = "sunsubscribe"
	NameMoving              Name = "MOVING"
	NameMigrating           Name = "MIGRATING"
	NameMigrated            Name = "MIGRATED"
	NameFailingOver         Name = "FAILING_OVER"
	NameFailedOver          Name = "FAILED_OVER"
	NameSMigrating          Name = "SMIGRATING"
	NameSMigrated           Name = "SMIGRATED"
	NameTrackingRedirBroken Name = "tracking-redir-broken"
	NameServerCPUUsage      Name = "server-cpu-usage"
)

// Family is a group of pushes that one Parse function reads. The zero Family is
// that of pushes this package does not know.
type Family uint8

// The families, and the names of their pushes.
const (
	FamilyUnknown             Family = iota // any other name, or none
	FamilyInvalidation                      // invalidate
	FamilyMessage                           // message, pmessage, smessage
	FamilySubscription                      // subscribe, unsubscribe, and those that begin with p or s
	FamilyMoving                            // MOVING
	FamilyMigration                         // MIGRATING, MIGRATED, FAILING_OVER, FAILED_OVER
	FamilySlotMigration                     // SMIGRATING, SMIGRATED
	FamilyTrackingRedirBroken               // tracking-redir-broken
	FamilyServerCPUUsage                    // server-cpu-usage
)

// families are the words of Family.String.
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

// Kind returns the family of the push called name, which is compared byte by
// byte, and [FamilyUnknown] when there is none. It does not allocate.
func Kind(name []byte) Family {
	_, family := lookup(name)
	return family
}

// lookup returns the known name that equals name, and its family.
func lookup(name []byte) (Name, Family) {
	switch string(name) {
	case string(NameInvalidate):
		return NameInvalidate, FamilyInvalidation
	case string(NameMessage):
		return NameMessage, FamilyMessage
	case string(NamePMessage):
		return NamePMessage, FamilyMessage
	case string(NameSMessage):
		return NameSMessage, FamilyMessage
	case string(NameSubscribe):
		return NameSubscribe, FamilySubscription
	case string(NamePSubscribe):
		return NamePSubscribe, FamilySubscription
	case string(NameSSubscribe):
		return NameSSubscribe, FamilySubscription
	case string(NameUnsubscribe):
		return NameUnsubscribe, FamilySubscription
	case string(NamePUnsubscribe):
		return NamePUnsubscribe, FamilySubscription
	case string(NameSUnsubscribe):
		return NameSUnsubscribe, FamilySubscription
	case string(NameMoving):
		return NameMoving, FamilyMoving
	case string(NameMigrating):
		return NameMigrating, FamilyMigration
	case string(NameMigrated):
		return NameMigrated, FamilyMigration
	case string(NameFailingOver):
		return NameFailingOver, FamilyMigration
	case string(NameFailedOver):
		return NameFailedOver, FamilyMigration
	case string(NameSMigrating):
		return NameSMigrating, FamilySlotMigration
	case string(NameSMigrated):
		return NameSMigrated, FamilySlotMigration
	case string(NameTrackingRedirBroken):
		return NameTrackingRedirBroken, FamilyTrackingRedirBroken
	case string(NameServerCPUUsage):
		return NameServerCPUUsage, FamilyServerCPUUsage
	}
	return "", FamilyUnknown
}
