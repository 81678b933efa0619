// Package oracle is a RESP3 parser that is written to be obviously correct, not fast. It parses a whole slice by
// recursive descent, one byte at a time, with separate code for each rule. Tests and fuzz targets compare package parser
// with it. It shares no code with package parser and imports only the standard library.
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
// Parse checks the bytes in wire order. The first byte that breaks a rule decides, whatever follows it.
package oracle
