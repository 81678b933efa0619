// Package notify provides typed views of the pushes that Redis and Valkey
// servers and their proxies are known to send.
//
//	invalidate := func(_ context.Context,
//		_ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//		if i.FlushAll() {
//			fmt.Println("drop every key")
//		}
//		for key := range i.Keys() { // borrowed until this function returns
//			fmt.Printf("drop %s\n", key)
//		}
//		return nil
//	}
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", notify.OnInvalidate(invalidate))
//
// # Terms
//
// The name of a push is its first element. Pushes that one Parse function
// reads, such as message, pmessage and smessage, form a family. [FamilyOf]
// returns the family of a name. The kind of a push is its name as the Kind field
// of a view holds it: one of the names of its family. The shape of a push is the number of its elements and their types.
//
// Each family has a Parse function and an On function. The Parse function takes
// a frame and returns a view of it. The On function takes a function that
// receives such a view, and returns a handler for package dispatch.
//
// # What is accepted
//
// Names and other texts may be bulk, simple or verbatim strings, because mocks
// and proxies differ in which of them they send. A null may have any of its
// spellings. Attributes are ignored, and so are pushes nested in an element.
// The documentation of each Parse function lists the shapes that it accepts. It
// returns a [*ShapeError], which names the push and the element, for any other.
// The error loses nothing: the elements of the frame can still be read, and the
// next frame is not affected.
//
// Numbers are passed on as the server sent them. The sequence numbers of
// maintenance pushes are not compared, because they repeat across nodes and
// have gaps.
//
// # Ownership
//
// A view and every slice from it are borrowed. They refer to the bytes of the
// frame and are valid as long as those are; in a handler that is until it
// returns. To retain a view, parse a clone of the frame:
// ParseMessage(push.Clone()). Views never change the bytes, so several
// goroutines may read a view at the same time.
//
// Parsing a view and iterating over it do not allocate. There are two
// exceptions: errors, and strings that were streamed in more than one part,
// which no known server sends.
//
// # Lines
//
// The String methods and [Describe] return one line for people to read. It has
// at most 6 KiB, whatever the push holds, and no control characters. Long texts
// and lists are cut, and the line says how much is missing.
//
// # A cache and its invalidations
//
// An invalidate push with a null in place of its keys invalidates every key:
// [Invalidation.FlushAll] reports it. A cache also has to be emptied when the
// connection that tracks its keys ends, because nothing is pushed about that.
// See [TrackingRedirBroken] for invalidations that are redirected to another
// connection.
package notify
