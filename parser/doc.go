// Package parser reads RESP3, the protocol of Redis and Valkey servers, with
// pushes in mind: it tells what comes next without consuming it, hands out
// frames that borrow the buffer they arrived in, resumes wherever a read cut
// them, and bounds everything a peer can announce.
//
//	r := parser.NewReader(conn)
//	for {
//		f, err := r.Next()
//		if err != nil {
//			return err
//		}
//		if f.IsPush() {
//			fmt.Printf("%s %v\n", f.Name(), f.Value()) // borrowed until the next call on r
//		}
//	}
//
// # Terms
//
// A value is one RESP3 value of any type, and its type is the byte it opens
// with. A frame is one complete top-level value, from its first byte, the
// attributes before it included, to its last LF. A push is a frame of type '>';
// its name is its first element. An element is a direct child of an aggregate.
// Borrowed bytes belong to somebody else and are dead after the stated moment.
//
// # Layers
//
// [Parse] finds one frame in a slice. [Scanner] finds where a frame ends, in
// pieces cut anywhere. [Reader] does so on a connection, with its own buffer or
// inside a client's *bufio.Reader. [Frame] and [Value] are views of what has been
// found. [Elements] is the cursor over an aggregate that their iterators are made
// of, and the fast way to read a push.
//
// # What is accepted
//
// The grammar is that of the RESP3 specification (protocol/RESP3.md of
// redis-specifications). Framing is strict: types, lengths, counts, nesting and
// terminators decide where the next frame begins, and each wrong byte of them is
// an error. A length or count has no sign and no leading zero. What else a line
// says does not decide that, so it never ends a stream: a line of text ends at its
// first CR LF, a CR or LF alone is part of the text, and the text of a number,
// double or boolean is read when [Value.Int64], [Value.Float64], [Value.Bool] or
// [Value.Any] is asked for it. Redis 7.0, for one, sends "(NaN" for a big number
// and an error with a LF inside. Where servers and parsers differ:
//
//   - $-1 and *-1 are nulls anywhere; any other negative length is an error, and
//     so is >-1.
//   - Integers and doubles may have a plus sign and leading zeros; a double may be
//     inf, or NaN in any spelling of a C library.
//   - A push may be empty or begin with what is no string: it has no name then.
//   - Streamed strings and aggregates ($? *? ~? %?) are accepted.
//   - A push inside another frame, which servers before Redis 7.2 send and the
//     specification forbids, is out of band: it is no element of what is around
//     it. See [Frame.NestedPushes].
//   - Attributes may stand before any value and belong to it.
//
// # Errors
//
// Three outcomes are never confused. Bytes that are missing are [ErrIncomplete],
// or a wait. Bytes that are wrong are a [*SyntaxError] with the offset of the
// first that is. A value whose text is not what its type promises is none of
// these: its accessor returns [ErrNumber] or [ErrBoolean], and the stream goes on.
// A frame that is too large is a [*LimitError], from its header,
// before its bytes arrive; no memory is ever sized from a length that has been
// announced and not received.
package parser
