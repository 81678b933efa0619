package captures

import (
	"fmt"
	"strconv"
	"strings"
)

// header is the first line of the index. The lines after it have a field for
// each column of the header.
const header = "file\tcommands\tbytes\tn_push_toplevel\tn_push_nested\tn_reply\tn_attr\ttail_bytes\tpush_names"

// ellipsis follows the last name of a truncated list.
const ellipsis = "…"

// parseIndex returns the captures that an index lists. It leaves their Bytes
// empty.
func parseIndex(text string) ([]Capture, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != header {
		return nil, fmt.Errorf("captures: the index begins with %q", lines[0])
	}
	var all []Capture
	for _, line := range lines[1:] {
		c, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("captures: %w in index line %q", err, line)
		}
		all = append(all, c)
	}
	return all, nil
}

func parseLine(line string) (c Capture, err error) {
	fields := strings.Split(line, "\t")
	if want := strings.Count(header, "\t") + 1; len(fields) != want {
		return c, fmt.Errorf("%d fields, not %d,", len(fields), want)
	}
	c.File, c.Commands = fields[0], fields[1]
	for i, n := range []*int{&c.size, &c.Pushes, &c.Nested, &c.Replies, &c.Attributes, &c.Tail} {
		if *n, err = strconv.Atoi(fields[2+i]); err != nil {
			return c, err
		}
	}
	if c.Names, c.Truncated, err = parseNames(fields[8]); err != nil {
		return c, err
	}
	if n := c.Pushes + c.Nested; c.Truncated && len(c.Names) >= n || !c.Truncated && len(c.Names) != n {
		return c, fmt.Errorf("%d names for %d pushes", len(c.Names), n)
	}
	return c, nil
}

// parseNames expands a list of names, in which name*N stands for N times the
// same name. It reports whether the list is truncated.
func parseNames(text string) (names []string, truncated bool, err error) {
	text, _, truncated = strings.Cut(text, ellipsis)
	for _, item := range strings.Fields(text) {
		name, times, several := strings.Cut(item, "*")
		n := 1
		if several {
			if n, err = strconv.Atoi(times); err != nil {
				return nil, false, err
			}
		}
		for range n {
			names = append(names, name)
		}
	}
	return names, truncated, nil
}
