package vectors

import "strings"

// failureCases are wires on which other clients lost track of the framing. The
// names say what must hold.
var failureCases = []Case{
	{"name-cut-at-read-boundary", ">3\r\n$7\r\nmessage\r\n$3\r\nfoo\r\n$3\r\nbar\r\n>3\r\n$7\r\nmessa", def, ok(`>[$"message" $"foo" $"bar"]`).behind(13)},
	{"name-cut-is-not-lost", ">3\r\n$7\r\nmessa", def, more()},
	{"short-frame-does-not-wait", ">3\r\n$9\r\nsubscribe\r\n$6\r\naaaaaa\r\n:1\r\n", def, ok(`>[$"subscribe" $"aaaaaa" :1]`)},
	{"header-larger-than-buffer", ">2\r\n$10\r\ninvalidate\r\n$1\r\nk\r\n", def, ok(`>[$"invalidate" $"k"]`)},
	{"hostile-bulk-length", ">1\r\n$9223372036854775807\r\n", def, over(maxBulk, 536870912, 9223372036854775807, 4)},
	{"hostile-push-count", ">4611686018427387904\r\n", def, over(maxElements, 16777216, 4611686018427387904, 0)},
	{"hostile-push-count-small", ">1000000000\r\n", def, over(maxElements, 16777216, 1000000000, 0)},
	{"hostile-array-minus-two", "*-2\r\n", def, bad(errLength, 2)},
	{"hostile-map-minus-one", "%-1\r\n", def, bad(errLength, 1)},
	{"hostile-nesting", ">1\r\n" + strings.Repeat("*1\r\n", 400), def, over(maxDepth, 128, 129, 512)},
	{"error-in-mid-frame", "*3\r\n$3\r\nfoo\r\n$1x\r\n+OK\r\n", def, bad(errLength, 15)},
	{"error-in-mid-push", ">3\r\n$7\r\nmessage\r\n$1\r\ncXY+OK\r\n", def, bad(errTerminator, 22)},
	{"push-before-time-outs", ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:1\r\n", def, ok(`>[$"invalidate" *[$"a"]]`).behind(4)},
	{"continuation-begins-with-marker", "*2\r\n$3\r\nfoo\r\n$4\r\n>bar\r\n", def, ok(`*[$"foo" $">bar"]`)},
	{"push-without-elements-does-not-block", ">0\r\n+PONG\r\n", def, ok(`>[]`).behind(7)},
	{"push-with-integer-name-is-a-push", ">2\r\n:42\r\n+x\r\n+PONG\r\n", def, ok(`>[:42 +"x"]`).behind(7)},
	{"push-with-verbatim-name-is-a-push", ">2\r\n=14\r\ntxt:invalidate\r\n*1\r\n$1\r\na\r\n+PONG\r\n", def,
		ok(`>[="txt:invalidate" *[$"a"]]`).behind(7)},
	{"push-with-attribute-before-name-is-a-push", ">2\r\n|1\r\n+a\r\n:1\r\n$10\r\ninvalidate\r\n_\r\n+PONG\r\n", def,
		ok(`>[|[+"a" :1]$"invalidate" _]`).behind(7)},
	{"bulk-terminator-is-checked", "$3\r\nabcXY", def, bad(errTerminator, 7)},
	{"torn-self-publish", ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$9\r\nabcd:1\r\nefgh\r\n", def, bad(errTerminator, 40)},
	{"torn-self-publish-of-20-kib", ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$20480\r\n" + strings.Repeat("x", 16384) + ":1\r\n" + strings.Repeat("x", 4096) + "\r\n", def,
		bad(errTerminator, 20515)},
}

// routingCases are streams that other clients routed wrongly. A parser must see
// their first frame.
var routingCases = []Case{
	{"reply-then-push", "+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n", def, ok(`+"OK"`).behind(32)},
	{"unknown-push-then-reply", ">2\r\n$7\r\nUNKNOWN\r\n$1\r\nx\r\n$1\r\nv\r\n", def, ok(`>[$"UNKNOWN" $"x"]`).behind(7)},
	{"late-message-then-pong", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n+PONG\r\n", def, ok(`>[$"message" $"c" $"m"]`).behind(7)},
	{"three-confirmations-then-pong", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:3\r\n+PONG\r\n", def,
		ok(`>[$"subscribe" $"a" :1]`).behind(67)},
	{"unsolicited-sunsubscribe-then-error", ">3\r\n$12\r\nsunsubscribe\r\n$6\r\norders\r\n:0\r\n-CLUSTERDOWN The cluster is down\r\n", def,
		ok(`>[$"sunsubscribe" $"orders" :0]`).behind(34)},
	{"null-invalidate-then-reply", ">2\r\n$10\r\ninvalidate\r\n_\r\n+OK\r\n", def, ok(`>[$"invalidate" _]`).behind(5)},
	{"null-bulk-invalidate-then-reply", ">2\r\n$10\r\ninvalidate\r\n$-1\r\n+OK\r\n", def, ok(`>[$"invalidate" _]`).behind(5)},
	{"null-array-invalidate-then-reply", ">2\r\n$10\r\ninvalidate\r\n*-1\r\n+OK\r\n", def, ok(`>[$"invalidate" _]`).behind(5)},
	{"invalidate-before-confirmation", ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", def,
		ok(`>[$"invalidate" *[$"a"]]`).behind(30)},
	{"push-inside-exec", "*3\r\n+OK\r\n>3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$2\r\nm1\r\n:1\r\n$1\r\nv\r\n+PONG\r\n", def,
		ok(`*[+"OK" :1 $"v"]`, `>[$"message" $"self" $"m1"]`).behind(7)},
	{"push-inside-mget", "*3\r\n$1\r\n1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n$-1\r\n$1\r\n3\r\n", def,
		ok(`*[$"1" _ $"3"]`, `>[$"invalidate" *[$"a"]]`)},
}
