// Package notify gives typed views of the pushes that Redis and Valkey servers
// and their proxies are known to send.
//
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", notify.OnInvalidate(
//		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//			if i.FlushAll() {
//				cache.clear()
//			}
//			for key := range i.Keys() {
//				cache.drop(key) // borrowed: valid until this function returns
//			}
//			return nil
//		}))
//
// # Terms
//
// The name of a push is its first element; the pushes that differ in little but
// their names are a family, which [Kind] tells from a name. Each family has a
// Parse function, which takes a frame and returns a view of it, and an On
// function, which makes a handler of package dispatch out of one for the view.
// The shape of a push is how many elements it has, and of which types.
//
// # What is accepted
//
// Names and other texts may be bulk, simple or verbatim strings, as mocks and
// proxies do not agree on one; nulls are of any spelling; attributes are passed
// over, and so are pushes nested in an element. Each Parse function says which
// shapes it knows. Any other is a [*ShapeError], which tells the push and the
// element. Nothing is lost by that: the frame is what it was, its elements are
// there to be looked at, and the next frame is not affected.
//
// Numbers on the wire are those of the server. The sequence numbers of maintenance
// pushes are handed on and not compared: they repeat across nodes and have gaps.
//
// # Ownership
//
// A view, and every slice taken from it, is borrowed: it refers to the frame's
// bytes and is dead when the frame is, in a handler when that returns. To keep
// one, parse a clone: ParseMessage(push.Clone()). While the bytes are valid a
// view may be read from several goroutines at once; nothing here changes them.
//
// Parsing a view and iterating over it allocate nothing, but for errors and for
// a string that was streamed in more than one part, which no server does.
//
// # Lines
//
// String and [Describe] return one line for people to read, of at most 6 KiB
// whatever came in: without control characters, long texts and lists cut and
// their size told.
package notify
