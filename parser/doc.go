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

// A map for the next author.
//
// Bytes flow from bottom to top:
//
//	Frame, Value, Elements   frame.go, value.go, elements.go: views of bytes that have been scanned
//	  walk                   walk.go, any.go, text.go: one pass over such bytes; checks nothing twice
//	Reader, Driver           reader.go, driver.go: a stream; what to take, to leave, to wait for
//	  the frame under way    underway.go, quirk.go: how far it has come, and where its bytes are
//	    Scanner              scanner.go, scan.go, header.go, stack.go: where a frame ends; limits
//	      the fast path      fast.go: the same for what most frames are made of
//	    window               window.go: where the bytes are; knows no frames
//
// # The frame under way
//
// Its bytes are in one of two places: in the window, or, when they do not fit
// there, in spill.
//
//	window.bytes()   | frame under way ............ | not looked at |
//	                 0 <= scanned                 <= len
//
//	spill.B          | frame under way ... |       scanned == 0: what is scanned leaves the window
//
//	stream           ... sc.start <= sc.pos ...    offsets since the Reader was made or reset
//
// What can be derived is not stored:
//
//	nothing begun     sc.pos == sc.start          the next byte of the window opens a frame
//	begun             sc.pos > sc.start           scanned == sc.pos - sc.start, unless spilled or dropped
//	whole             begun and sc.ended          peeked at, and not yet taken
//	handed out        nothing begun, spill set    spill is released by the next call
//
// claim says who goes on with a frame that is begun:
//
//	unclaimed --a method that takes it needs more bytes--> taker --whole--> unclaimed
//	unclaimed, taker --Skip, SkipOversize--> skipper --end of the frame--> unclaimed
//	taker --the client has read the Source--> unclaimed
//
// loan says whether a handler has the frame that was handed out last. err is
// sticky, and SkipOversize alone takes it back.
//
// # In a Source
//
// The client may read there between two calls, and a handler during one. Between
// calls, seen is a copy of window[:scanned]; when the window no longer begins with
// it, the frame is forgotten (pause, resume). During BufferedPushes the window is
// compared with what it was, by address (shortPushes).
//
// # What is fast, and what it falls back to
//
// Every step takes what is plain and leaves the rest to the next one, which is
// right for all there is; the build tag respushgeneral leaves out all but the last.
//
//	shortPushes   pushes that are whole, short and plain, one after another: compares the
//	              head of the next with that of the last, before it reads one
//	push          one push: a short one as above, or with the Scanner
//	Scanner.plain headers and bulks of the frame under way, many at a time (plainRun)
//	Scanner.step  a byte, or a run of bytes, of any frame, cut anywhere
//
// Frames are views with what the Scanner knows packed into a word (frameMeta), so
// that Name and Args need not look for it again. Elements steps over one short
// bulk or integer with one load, and asks walk for anything else.
