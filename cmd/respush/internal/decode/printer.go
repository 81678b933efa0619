package decode

// A printer prints the frames of the inputs. Calls for different inputs do not
// overlap.
type printer interface {
	begin(name string) error
	item(it item) error
	end(tail int64) error // tail: bytes of a frame that is cut short
	close() error         // behind the last input
}
