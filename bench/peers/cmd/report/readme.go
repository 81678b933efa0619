package main

import (
	"bytes"
	"fmt"
	"os"
)

// The lines that enclose the table in the README.
const (
	tableBegins = "<!-- make bench-peers writes this table -->\n"
	tableEnds   = "<!-- until here -->\n"
)

// writeTable replaces the Markdown table in a file.
func writeTable(path string, r *Results) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(old, []byte(tableBegins))
	_, after, ends := bytes.Cut(rest, []byte(tableEnds))
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table: %q and %q", path, tableBegins, tableEnds)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(tableBegins)
	printMarkdown(&b, r)
	b.WriteString(tableEnds)
	b.Write(after)
	return os.WriteFile(path, b.Bytes(), 0o644)
}
