// Package testdata holds what tests read. It is a package so that they find it wherever they are built and run.
package testdata

import "embed"

// Captures are real server-to-client streams, and index.tsv, which tells what each holds.
//
//go:embed captures
var Captures embed.FS
