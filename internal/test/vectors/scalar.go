package vectors

// simpleCases are simple strings and errors that are right.
var simpleCases = []Case{
	{"simple", "+OK\r\n", def, ok(`+"OK"`)},
	{"simple-empty", "+\r\n", def, ok(`+""`)},
	{"simple-spaces", "+ hello  world \r\n", def, ok(`+" hello  world "`)},
	{"simple-markers", "+>*$:;.|%~#,(!=_-?\r\n", def, ok(`+">*$:;.|%~#,(!=_-?"`)},
	{"simple-any-byte", "+\x00\x01\x7f\x80\xff\r\n", def, ok(`+"\x00\x01\x7f\x80\xff"`)},
	{"simple-looks-like-null", "+-1\r\n", def, ok(`+"-1"`)},
	{"simple-behind", "+OK\r\n+more\r\n", def, ok(`+"OK"`).behind(7)},
	{"simple-behind-broken", "+OK\r\n\x00\x00", def, ok(`+"OK"`).behind(2)},
	{"simple-monitor-line", "+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n", def,
		ok(`+"1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\""`)},
	{"error", "-ERR unknown command\r\n", def, ok(`-"ERR unknown command"`)},
	{"error-empty", "-\r\n", def, ok(`-""`)},
	{"error-moved", "-MOVED 3999 127.0.0.1:6381\r\n", def, ok(`-"MOVED 3999 127.0.0.1:6381"`)},
	{"error-minus-one", "-1\r\n", def, ok(`-"1"`)},
	{"error-behind", "-NOPERM x\r\n>0\r\n", def, ok(`-"NOPERM x"`).behind(4)},
}

// bulkCases are bulk strings, bulk errors and verbatim strings that are right.
var bulkCases = []Case{
	{"bulk", "$5\r\nhello\r\n", def, ok(`$"hello"`)},
	{"bulk-empty", "$0\r\n\r\n", def, ok(`$""`)},
	{"bulk-one-byte", "$1\r\nx\r\n", def, ok(`$"x"`)},
	{"bulk-two-digits", "$11\r\nhello world\r\n", def, ok(`$"hello world"`)},
	{"bulk-crlf-inside", "$6\r\na\r\nb\r\n\r\n", def, ok(`$"a\r\nb\r\n"`)},
	{"bulk-only-crlf", "$2\r\n\r\n\r\n", def, ok(`$"\r\n"`)},
	{"bulk-only-cr", "$1\r\n\r\r\n", def, ok(`$"\r"`)},
	{"bulk-only-lf", "$1\r\n\n\r\n", def, ok(`$"\n"`)},
	{"bulk-binary", "$4\r\n\x00\xff\r\x80\r\n", def, ok(`$"\x00\xff\r\x80"`)},
	{"bulk-frame-inside-cut", "$11\r\n>1\r\n$1\r\na\r\n", def, more()},
	{"bulk-push-inside", "$11\r\n>1\r\n$1\r\na\r\n\r\n", def, ok(`$">1\r\n$1\r\na\r\n"`)},
	{"bulk-utf8", "$6\r\nh\u00e9llo\r\n", def, ok(`$"héllo"`)},
	{"bulk-behind", "$3\r\nfoo\r\n$3\r\nbar\r\n", def, ok(`$"foo"`).behind(9)},
	{"bulk-behind-crlf", "$0\r\n\r\n\r\n", def, ok(`$""`).behind(2)},
	{"bulk-error", "!21\r\nSYNTAX invalid syntax\r\n", def, ok(`!"SYNTAX invalid syntax"`)},
	{"bulk-error-empty", "!0\r\n\r\n", def, ok(`!""`)},
	{"bulk-error-crlf-inside", "!5\r\nE\r\nx \r\n", def, ok(`!"E\r\nx "`)},
	{"verbatim-txt", "=15\r\ntxt:Some string\r\n", def, ok(`="txt:Some string"`)},
	{"verbatim-mkd", "=5\r\nmkd:#\r\n", def, ok(`="mkd:#"`)},
	{"verbatim-empty", "=4\r\ntxt:\r\n", def, ok(`="txt:"`)},
	{"verbatim-colons", "=6\r\n:::::a\r\n", def, ok(`=":::::a"`)},
	{"verbatim-crlf-inside", "=8\r\ntxt:a\r\nb\r\n", def, ok(`="txt:a\r\nb"`)},
	{"verbatim-crlf-format", "=5\r\n\r\n\x00:x\r\n", def, ok(`="\r\n\x00:x"`)},
	{"verbatim-behind", "=4\r\ntxt:\r\n=", def, ok(`="txt:"`).behind(1)},
}

// nullCases are the three nulls, at the top.
var nullCases = []Case{
	{"null", "_\r\n", def, ok(`_`)},
	{"null-bulk", "$-1\r\n", def, ok(`_`)},
	{"null-array", "*-1\r\n", def, ok(`_`)},
	{"null-behind", "_\r\n_\r\n", def, ok(`_`).behind(3)},
	{"null-bulk-behind", "$-1\r\nfoo\r\n", def, ok(`_`).behind(5)},
	{"null-array-behind", "*-1\r\n*", def, ok(`_`).behind(1)},
}

// integerCases are integers that are right.
var integerCases = []Case{
	{"integer", ":1000\r\n", def, ok(`:1000`)},
	{"integer-zero", ":0\r\n", def, ok(`:0`)},
	{"integer-one", ":1\r\n", def, ok(`:1`)},
	{"integer-minus-one", ":-1\r\n", def, ok(`:-1`)},
	{"integer-minus-two", ":-2\r\n", def, ok(`:-2`)},
	{"integer-plus", ":+5\r\n", def, ok(`:+5`)},
	{"integer-leading-zeros", ":007\r\n", def, ok(`:007`)},
	{"integer-minus-zero", ":-0\r\n", def, ok(`:-0`)},
	{"integer-plus-zero", ":+0\r\n", def, ok(`:+0`)},
	{"integer-max", ":9223372036854775807\r\n", def, ok(`:9223372036854775807`)},
	{"integer-plus-max", ":+9223372036854775807\r\n", def, ok(`:+9223372036854775807`)},
	{"integer-min", ":-9223372036854775808\r\n", def, ok(`:-9223372036854775808`)},
	{"integer-max-leading-zeros", ":0000009223372036854775807\r\n", def, ok(`:0000009223372036854775807`)},
	{"integer-min-leading-zeros", ":-009223372036854775808\r\n", def, ok(`:-009223372036854775808`)},
	{"integer-thirty-zeros", ":000000000000000000000000000000\r\n", def, ok(`:000000000000000000000000000000`)},
	{"integer-behind", ":1\r\n2\r\n", def, ok(`:1`).behind(3)},
}

// bigNumberCases are big numbers that are right.
var bigNumberCases = []Case{
	{"big", "(3492890328409238509324850943850943825024385\r\n", def, ok(`(3492890328409238509324850943850943825024385`)},
	{"big-negative", "(-3492890328409238509324850943850943825024385\r\n", def, ok(`(-3492890328409238509324850943850943825024385`)},
	{"big-plus", "(+12345678901234567890\r\n", def, ok(`(+12345678901234567890`)},
	{"big-small", "(7\r\n", def, ok(`(7`)},
	{"big-zero", "(0\r\n", def, ok(`(0`)},
	{"big-minus-zero", "(-0\r\n", def, ok(`(-0`)},
	{"big-leading-zeros", "(-000123\r\n", def, ok(`(-000123`)},
	{"big-int64-max", "(9223372036854775807\r\n", def, ok(`(9223372036854775807`)},
	{"big-int64-max-plus-one", "(9223372036854775808\r\n", def, ok(`(9223372036854775808`)},
	{"big-int64-min-minus-one", "(-9223372036854775809\r\n", def, ok(`(-9223372036854775809`)},
	{"big-twenty-digits", "(99999999999999999999\r\n", def, ok(`(99999999999999999999`)},
}

// doubleCases are all the spellings of a double that are accepted.
var doubleCases = []Case{
	{"double", ",1.23\r\n", def, ok(`,1.23`)},
	{"double-zero", ",0\r\n", def, ok(`,0`)},
	{"double-minus-zero", ",-0\r\n", def, ok(`,-0`)},
	{"double-integer", ",10\r\n", def, ok(`,10`)},
	{"double-minus", ",-1\r\n", def, ok(`,-1`)},
	{"double-plus", ",+1\r\n", def, ok(`,+1`)},
	{"double-minus-fraction", ",-1.5\r\n", def, ok(`,-1.5`)},
	{"double-plus-fraction", ",+1.5\r\n", def, ok(`,+1.5`)},
	{"double-point-last", ",1.\r\n", def, ok(`,1.`)},
	{"double-leading-zeros", ",007.50\r\n", def, ok(`,007.50`)},
	{"double-exponent", ",1e5\r\n", def, ok(`,1e5`)},
	{"double-exponent-upper", ",1E5\r\n", def, ok(`,1E5`)},
	{"double-exponent-plus", ",1e+5\r\n", def, ok(`,1e+5`)},
	{"double-exponent-minus", ",1e-5\r\n", def, ok(`,1e-5`)},
	{"double-exponent-upper-minus", ",-2E-07\r\n", def, ok(`,-2E-07`)},
	{"double-fraction-exponent", ",1.5e10\r\n", def, ok(`,1.5e10`)},
	{"double-point-exponent", ",1.e5\r\n", def, ok(`,1.e5`)},
	{"double-all-parts", ",-12.345E+067\r\n", def, ok(`,-12.345E+067`)},
	{"double-seventeen-digits", ",0.10000000000000001\r\n", def, ok(`,0.10000000000000001`)},
	{"double-inf", ",inf\r\n", def, ok(`,inf`)},
	{"double-minus-inf", ",-inf\r\n", def, ok(`,-inf`)},
	{"double-plus-inf", ",+inf\r\n", def, ok(`,+inf`)},
	{"double-nan", ",nan\r\n", def, ok(`,nan`)},
	{"double-minus-nan", ",-nan\r\n", def, ok(`,-nan`)},
	{"double-beyond-range", ",1e999\r\n", def, ok(`,1e999`)},
	{"double-below-range", ",-1e-999\r\n", def, ok(`,-1e-999`)},
	{"double-huge-exponent", ",1e99999999999999999999\r\n", def, ok(`,1e99999999999999999999`)},
	{"double-behind", ",1\r\n.5\r\n", def, ok(`,1`).behind(4)},
}

// booleanCases are the two booleans.
var booleanCases = []Case{
	{"boolean-true", "#t\r\n", def, ok(`#t`)},
	{"boolean-false", "#f\r\n", def, ok(`#f`)},
	{"boolean-behind", "#t\r\n#f\r\n", def, ok(`#t`).behind(4)},
}
