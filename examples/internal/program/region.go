package program

import "strings"

// Region returns the number of lines of Go code between the comments
// "// feed: begin" and "// feed: end" of a source. Blank lines and comments do
// not count.
func Region(source string) int {
	lines, inside := 0, false
	for line := range strings.Lines(source) {
		switch line = strings.TrimSpace(line); {
		case line == "// feed: begin":
			inside = true
		case line == "// feed: end":
			inside = false
		case inside && line != "" && !strings.HasPrefix(line, "//"):
			lines++
		}
	}
	return lines
}
