// Package parser reads RESP3, the protocol of Redis and Valkey servers, with
// pushes in mind. It tells what comes next without consuming it, returns frames
// that borrow the buffer they arrived in, resumes wherever a read has cut a
// frame, and bounds everything a peer can announce.
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
// A value is one RESP3 value of any type, and its type is its first byte. A
// frame is one complete top-level value, including the attributes before it, up
// to its last LF. A push is a frame of type '>'; its name is its first element.
// An element is a direct child of an aggregate. Borrowed bytes belong to
// someone else and must not be used after the stated moment.
//
// # Layers
//
// [Parse] finds one frame in a slice. [Scanner] finds where a frame ends in a
// stream cut into pieces anywhere. [Reader] does so on a connection, with its
// own buffer or inside a client's *bufio.Reader. [Frame] and [Value] are views
// of the bytes found. [Elements] is a cursor over an aggregate. The iterators
// of Frame and Value use it, and it is the fast way to read a push.
//
// # What is accepted
//
// The grammar is that of the RESP3 specification (protocol/RESP3.md of
// redis-specifications). Framing is strict: types, lengths, counts, nesting and
// terminators decide where the next frame begins, so a wrong byte in any of
// them is an error. A length or count has no sign and no leading zero. Other
// text in a line does not affect framing, so it never ends a stream. A line of
// text ends at its first CR LF; a CR or LF alone is part of the text. The text
// of a number, double or boolean is not read until [Value.Int64],
// [Value.Float64], [Value.Bool] or [Value.Any] is called. Redis 7.0, for
// example, sends "(NaN" for a big number and an error with an LF inside.
// Servers and parsers differ on these points:
//
//   - $-1 and *-1 are nulls anywhere. Any other negative length is an error,
//     and so is >-1.
//   - Integers and doubles may have a plus sign and leading zeros; a double may
//     be inf, or NaN in any spelling of a C library.
//   - A push that is empty or does not begin with a string has no name.
//   - Streamed strings and aggregates ($? *? ~? %?) are accepted.
//   - A push inside another frame is out of band: it is not an element of the
//     aggregate around it. Servers before Redis 7.2 send such pushes, and the
//     specification forbids them. See [Frame.NestedPushes].
//   - Attributes may stand before any value and belong to it.
//
// # Errors
//
// Three outcomes are never confused. Missing bytes are reported as
// [ErrIncomplete] or waited for. Wrong bytes are a [*SyntaxError] with the
// offset of the first wrong byte. A frame that is too large is a [*LimitError]
// as soon as its header has been read, before its bytes arrive. No memory is
// ever sized from a length that has been announced and not received. A value
// whose text does not match its type is none of these: its accessor returns
// [ErrNumber] or [ErrBoolean], and the stream goes on.
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
// The bytes of the frame under way are in the window, or in spill when they do
// not fit in the window.
//
//	window.bytes()   | frame under way ............ | not looked at |
//	                 0 <= scanned                 <= len
//
//	spill.B          | frame under way ... |       scanned == 0: what is scanned leaves the window
//
//	stream           ... sc.start <= sc.pos ...    offsets since the Reader was made or reset
//
// State that can be derived is not stored:
//
//	nothing begun     sc.pos == sc.start          the next byte of the window opens a frame
//	begun             sc.pos > sc.start           scanned == sc.pos - sc.start, unless spilled or dropped
//	whole             begun and sc.ended          peeked at, and not yet taken
//	handed out        nothing begun, spill set    spill is released by the next call
//
// claim says which methods continue a frame that has begun:
//
//	unclaimed --a method that takes it needs more bytes--> taker --whole--> unclaimed
//	unclaimed, taker --Skip, SkipOversize--> skipper --end of the frame--> unclaimed
//	taker --the client has read the Source--> unclaimed
//
// lent says whether a handler has the frame returned last. err is sticky; only
// SkipOversize and Reset clear it.
//
// # The size of the buffer
//
// A read that fills the Reader's own buffer makes it larger, and one that
// brings little makes it smaller (fit). Before Serve waits it gives a large one
// back (rest), unless large reads have lately ended such rests.
//
// # In a Source
//
// The client may read from the Source between two calls, and a handler during
// one. Between calls, seen is a copy of window[:scanned]. When the window no
// longer begins with it, the Reader forgets the frame (pause, resume).
//
// # What is fast, and what it falls back to
//
// Every step handles plain input and leaves the rest to a more general step.
// The last one handles all input. The build tag respushgeneral disables all the
// others.
//
//	NextBuffered  pushes that are whole, short and plain, one after another: compares the
//	              head of the next with that of the last (Burst), before it reads one
//	LonePush      a whole, short, plain push that no other one follows
//	push          one push: a short one as above, or with the Scanner
//	shortFrame    one frame for Next: a short push, or a plain reply (plainReply)
//	Scanner.plain headers and bulks of the frame under way, many at a time (plainRun)
//	Scanner.step  a byte, or a run of bytes, of any frame, cut anywhere
//
// Between frames a Reader is nearly always clean: nothing is begun, spilled,
// lent or wrong. Then a call has nothing to bring in order (ready), and Fill is
// one read, which is what a push that comes alone waits for.
//
// A Frame is a view with what the Scanner knows packed into a word (frameMeta),
// so that Name and Args need not search for it again. Elements steps over a
// short bulk with one load and over an integer of up to 17 digits in a loop
// (BenchmarkHandlerNotify/frame=F7), and uses walk for anything else.
