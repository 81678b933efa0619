// Package oracle is a RESP3 parser made to be believed rather than to be fast: recursive descent over a whole slice,
// one byte at a time, each rule a sentence of its own. Package parser is held against it by tests and fuzz targets.
// It shares no code with package parser and imports the standard library only.
//
// A frame is one top-level value with the attributes before it. [Parse] gives exactly one of four verdicts:
//
//	r := oracle.Parse([]byte("*2\r\n:1\r\n>1\r\n+p\r\n:2\r\n"), oracle.Limits{})
//	switch r.Verdict {
//	case oracle.OK: // r.N bytes are the frame, r.Tree is what they say
//		fmt.Println(r.Tree) // *[:1 :2] !>[+"p"]
//	case oracle.Incomplete: // valid so far
//	case oracle.Syntax: // r.Cause at r.Offset
//	case oracle.OverLimit: // r.Limit, r.Max, r.Got at r.Offset
//	}
//
// Bytes are judged in wire order: the first one that breaks a rule decides, whatever follows it.
package oracle
