package textline

import (
	"io"
	"os"

	"golang.org/x/term"
)

// For returns s, adapted to out. Lines on a terminal are no longer than it is
// wide and have colours, unless NO_COLOR is set or TERM is dumb.
func (s Style) For(out io.Writer) Style {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return s
	}
	s.Colours = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	s.Width = func() int {
		width, _, err := term.GetSize(int(file.Fd()))
		if err != nil {
			return 0
		}
		return width
	}
	return s
}
