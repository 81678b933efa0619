package parser

// Type is the RESP3 marker byte that opens a value.
type Type byte

// The value types of RESP3. A RESP2 null ($-1 or *-1) is reported as TypeNull.
const (
	TypeSimpleString   Type = '+'
	TypeSimpleError    Type = '-'
	TypeInteger        Type = ':'
	TypeBulkString     Type = '$'
	TypeArray          Type = '*'
	TypeNull           Type = '_'
	TypeBoolean        Type = '#'
	TypeDouble         Type = ','
	TypeBigNumber      Type = '('
	TypeBulkError      Type = '!'
	TypeVerbatimString Type = '='
	TypeMap            Type = '%'
	TypeSet            Type = '~'
	TypeAttribute      Type = '|'
	TypePush           Type = '>'
)

// Marker bytes that open no value.
const (
	markChunk = ';' // one part of a streamed string
	markEnd   = '.' // the end of a streamed aggregate
)

// String returns the name of the type in the RESP3 specification, in one or two
// words.
func (t Type) String() string {
	switch t {
	case TypeSimpleString:
		return "simple string"
	case TypeSimpleError:
		return "simple error"
	case TypeInteger:
		return "integer"
	case TypeBulkString:
		return "bulk string"
	case TypeArray:
		return "array"
	case TypeNull:
		return "null"
	case TypeBoolean:
		return "boolean"
	case TypeDouble:
		return "double"
	case TypeBigNumber:
		return "big number"
	case TypeBulkError:
		return "bulk error"
	case TypeVerbatimString:
		return "verbatim string"
	case TypeMap:
		return "map"
	case TypeSet:
		return "set"
	case TypeAttribute:
		return "attribute"
	case TypePush:
		return "push"
	}
	return "unknown type"
}

// class says how the bytes behind a type byte are read.
type class uint8

const (
	classNone      class = iota // not a type byte
	classText                   // a line of text: + - : , ( #
	classNull                   // _
	classBulk                   // a length, then that many bytes: $ ! =
	classAggregate              // a count, then that many values: * % ~ | >
)

var classes = [256]class{
	TypeSimpleString:   classText,
	TypeSimpleError:    classText,
	TypeInteger:        classText,
	TypeDouble:         classText,
	TypeBigNumber:      classText,
	TypeBoolean:        classText,
	TypeNull:           classNull,
	TypeBulkString:     classBulk,
	TypeBulkError:      classBulk,
	TypeVerbatimString: classBulk,
	TypeArray:          classAggregate,
	TypeMap:            classAggregate,
	TypeSet:            classAggregate,
	TypeAttribute:      classAggregate,
	TypePush:           classAggregate,
}

// paired reports whether t counts pairs: an announced count of n is 2n
// children.
func (t Type) paired() bool { return t == TypeMap || t == TypeAttribute }

// text reports whether t is a string of any of the three kinds.
func (t Type) text() bool {
	return t == TypeBulkString || t == TypeSimpleString || t == TypeVerbatimString
}

// streamable reports whether t may be sent without a length ("?" in its place).
func (t Type) streamable() bool {
	return t == TypeBulkString || t == TypeArray || t == TypeSet || t == TypeMap
}

// nullable reports whether a length of -1 makes t a RESP2 null.
func (t Type) nullable() bool { return t == TypeBulkString || t == TypeArray }
