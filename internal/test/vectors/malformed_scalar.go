package vectors

// badScalarCases are malformed nulls and verbatim strings.
var badScalarCases = []Case{
	{"null-bad-letter", "_x\r\n", def, bad(errNull, 1)},
	{"null-bad-space", "_ \r\n", def, bad(errNull, 1)},
	{"null-bad-minus-one", "_-1\r\n", def, bad(errNull, 1)},
	{"null-bad-twice", "__\r\n", def, bad(errNull, 1)},
	{"null-bad-array-element", "*1\r\n_0\r\n", def, bad(errNull, 5)},
	{"null-bad-map-key", "%1\r\n_k\r\n", def, bad(errNull, 5)},
	{"null-bad-after-attribute", "|0\r\n_|\r\n", def, bad(errNull, 5)},
	{"verbatim-bad-no-colon", "=4\r\ntxtx\r\n", def, bad(errVerbatim, 7)},
	{"verbatim-bad-colon-early", "=6\r\ntx:abc\r\n", def, bad(errVerbatim, 7)},
	{"verbatim-bad-colon-late", "=6\r\ntext:a\r\n", def, bad(errVerbatim, 7)},
	{"verbatim-bad-cr", "=4\r\ntxt\r\n", def, bad(errVerbatim, 7)},
	{"verbatim-bad-lf", "=5\r\ntxt\n\r\n", def, bad(errVerbatim, 7)},
	{"verbatim-bad-before-terminator", "=4\r\ntxt;XY", def, bad(errVerbatim, 7)},
	{"verbatim-bad-long-header", "=15\r\nSome string\r\n", def, bad(errVerbatim, 8)},
	{"verbatim-bad-array-element", "*2\r\n:1\r\n=4\r\nabcd\r\n", def, bad(errVerbatim, 15)},
	{"verbatim-bad-push-name", ">1\r\n=10\r\ninvalidate\r\n", def, bad(errVerbatim, 12)},
	{"verbatim-bad-map-key", "%1\r\n=2\r\n", def, bad(errVerbatim, 5)},
	{"verbatim-short-0", "=0\r\n\r\n", def, bad(errVerbatim, 1)},
	{"verbatim-short-1", "=1\r\n", def, bad(errVerbatim, 1)},
	{"verbatim-short-3", "=3\r\ntxt\r\n", def, bad(errVerbatim, 1)},
	{"verbatim-short-header-cut", "=3\r", def, more()},
	{"verbatim-short-before-lf", "=3\r\r", def, bad(errTerminator, 3)},
}
