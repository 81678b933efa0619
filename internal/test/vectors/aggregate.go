package vectors

import "strings"

// arrayCases are arrays and sets, including nested ones.
var arrayCases = []Case{
	{"array-empty", "*0\r\n", def, ok(`*[]`)},
	{"array-one", "*1\r\n:1\r\n", def, ok(`*[:1]`)},
	{"array-two-bulks", "*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", def, ok(`*[$"hello" $"world"]`)},
	{"array-mixed", "*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n$5\r\nhello\r\n", def, ok(`*[:1 :2 :3 :4 $"hello"]`)},
	{"array-ten", "*10\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n", def, ok(`*[:0 :1 :2 :3 :4 :5 :6 :7 :8 :9]`)},
	{"array-nested", "*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Foo\r\n-Bar\r\n", def, ok(`*[*[:1 :2 :3] *[+"Foo" -"Bar"]]`)},
	{"array-nested-empty", "*3\r\n*0\r\n*1\r\n*0\r\n*0\r\n", def, ok(`*[*[] *[*[]] *[]]`)},
	{"array-deep", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n_\r\n", def, ok(`*[*[*[*[*[_]]]]]`)},
	{"array-every-null", "*3\r\n_\r\n$-1\r\n*-1\r\n", def, ok(`*[_ _ _]`)},
	{"array-null-in-middle", "*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nworld\r\n", def, ok(`*[$"hello" _ $"world"]`)},
	{"array-behind", "*1\r\n:1\r\n:2\r\n", def, ok(`*[:1]`).behind(4)},
	{"array-empty-behind", "*0\r\n:2\r\n", def, ok(`*[]`).behind(4)},
	{"array-every-scalar", "*10\r\n+s\r\n-e\r\n:1\r\n$1\r\nb\r\n_\r\n#t\r\n,1.5\r\n(9\r\n!1\r\nE\r\n=5\r\ntxt:v\r\n", def,
		ok(`*[+"s" -"e" :1 $"b" _ #t ,1.5 (9 !"E" ="txt:v"]`)},
	{"array-every-aggregate", "*3\r\n*1\r\n:1\r\n~1\r\n:2\r\n%1\r\n:3\r\n:4\r\n", def, ok(`*[*[:1] ~[:2] %[:3 :4]]`)},
	{"array-cut-at-second", "*2\r\n:1\r\n", def, more()},
	{"array-cut-in-header", "*2\r", def, more()},
	{"set-empty", "~0\r\n", def, ok(`~[]`)},
	{"set-mixed", "~5\r\n+orange\r\n+apple\r\n#t\r\n:100\r\n:999\r\n", def, ok(`~[+"orange" +"apple" #t :100 :999]`)},
	{"set-twins", "~2\r\n:1\r\n:1\r\n", def, ok(`~[:1 :1]`)},
	{"set-every-scalar", "~10\r\n+s\r\n-e\r\n:1\r\n$1\r\nb\r\n_\r\n#f\r\n,inf\r\n(-9\r\n!1\r\nE\r\n=5\r\nmkd:v\r\n", def,
		ok(`~[+"s" -"e" :1 $"b" _ #f ,inf (-9 !"E" ="mkd:v"]`)},
	{"set-every-null", "~3\r\n$-1\r\n*-1\r\n_\r\n", def, ok(`~[_ _ _]`)},
	{"set-of-sets", "~2\r\n~1\r\n:1\r\n~0\r\n", def, ok(`~[~[:1] ~[]]`)},
	{"set-of-map-and-array", "~2\r\n%1\r\n+a\r\n:1\r\n*1\r\n:2\r\n", def, ok(`~[%[+"a" :1] *[:2]]`)},
	{"set-behind", "~1\r\n:1\r\n.\r\n", def, ok(`~[:1]`).behind(3)},
}

// deepCases hold more than one element far inside, so a parser that loses a
// level on the way fails.
var deepCases = []Case{
	{"deep-6", strings.Repeat("*1\r\n", 5) + "*2\r\n+a\r\n+b\r\n", def, deep("*[", 5, `*[+"a" +"b"]`)},
	{"deep-7", strings.Repeat("*1\r\n", 6) + "*2\r\n+a\r\n+b\r\n", def, deep("*[", 6, `*[+"a" +"b"]`)},
	{"deep-8", strings.Repeat("*1\r\n", 7) + "*2\r\n+a\r\n+b\r\n", def, deep("*[", 7, `*[+"a" +"b"]`)},
	{"deep-9", strings.Repeat("*1\r\n", 8) + "*2\r\n+a\r\n+b\r\n", def, deep("*[", 8, `*[+"a" +"b"]`)},
	{"deep-20", strings.Repeat("*1\r\n", 19) + "*2\r\n+a\r\n+b\r\n", def, deep("*[", 19, `*[+"a" +"b"]`)},
	{"deep-integers", strings.Repeat("*1\r\n", 9) + "*2\r\n:1\r\n:2\r\n", def, deep("*[", 9, `*[:1 :2]`)},
	{"deep-bulks", strings.Repeat("*1\r\n", 9) + "*2\r\n$1\r\na\r\n$1\r\nb\r\n", def, deep("*[", 9, `*[$"a" $"b"]`)},
	{"deep-null-then-simple", strings.Repeat("*1\r\n", 9) + "*2\r\n_\r\n+b\r\n", def, deep("*[", 9, `*[_ +"b"]`)},
	{"deep-arrays", strings.Repeat("*1\r\n", 9) + "*2\r\n*1\r\n:1\r\n*2\r\n:2\r\n+b\r\n", def, deep("*[", 9, `*[*[:1] *[:2 +"b"]]`)},
	{"deep-sets", strings.Repeat("~1\r\n", 9) + "~2\r\n+a\r\n*2\r\n$1\r\na\r\n#t\r\n", def, deep("~[", 9, `~[+"a" *[$"a" #t]]`)},
	{"deep-maps", strings.Repeat("%1\r\n_\r\n", 9) + "%1\r\n+a\r\n*2\r\n:1\r\n+b\r\n", def, deep("%[_ ", 9, `%[+"a" *[:1 +"b"]]`)},
	{"deep-streamed", strings.Repeat("*?\r\n", 9) + "*2\r\n:1\r\n+b\r\n" + strings.Repeat(".\r\n", 9), def, deep("*[", 9, `*[:1 +"b"]`)},
	{"deep-push", ">2\r\n$1\r\np\r\n" + strings.Repeat("*1\r\n", 9) + "*2\r\n:1\r\n+b\r\n", def,
		ok(`>[$"p" ` + strings.Repeat("*[", 9) + `*[:1 +"b"]` + strings.Repeat("]", 10))},
	{"deep-siblings", strings.Repeat("*2\r\n", 9) + "*2\r\n:1\r\n+b\r\n" + strings.Repeat(":0\r\n", 9), def,
		ok(strings.Repeat("*[", 9) + `*[:1 +"b"]` + strings.Repeat(" :0]", 9))},
	{"deep-siblings-not-plain", strings.Repeat("*2\r\n", 9) + "*2\r\n:1\r\n+b\r\n" + strings.Repeat("+c\r\n", 9), def,
		ok(strings.Repeat("*[", 9) + `*[:1 +"b"]` + strings.Repeat(` +"c"]`, 9))},
	{"deep-nested-push", strings.Repeat("*1\r\n", 9) + ">2\r\n$1\r\np\r\n*2\r\n:1\r\n+b\r\n:3\r\n", def,
		ok(strings.Repeat("*[", 9)+":3"+strings.Repeat("]", 9), `>[$"p" *[:1 +"b"]]`)},
	{"deep-attribute", strings.Repeat("*1\r\n", 9) + "|1\r\n+k\r\n*2\r\n:1\r\n+b\r\n:3\r\n", def, deep("*[", 9, `|[+"k" *[:1 +"b"]]:3`)},
	{"deep-bad", strings.Repeat("*1\r\n", 9) + "*2\r\n:1\r\n$x\r\n", def, bad(errLength, 45)},
	{"deep-cut", strings.Repeat("*1\r\n", 9) + "*2\r\n:1\r\n", def, more()},
	{"deep-behind", strings.Repeat("*1\r\n", 9) + "*2\r\n:1\r\n+b\r\n:3\r\n", def, deep("*[", 9, `*[:1 +"b"]`).behind(4)},
}

// deep wants n aggregates around a tree.
func deep(open string, n int, tree string) Want {
	return ok(strings.Repeat(open, n) + tree + strings.Repeat("]", n))
}

// mapCases are maps: every type as key and as value, nested, empty.
var mapCases = []Case{
	{"map-empty", "%0\r\n", def, ok(`%[]`)},
	{"map-two", "%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", def, ok(`%[+"first" :1 +"second" :2]`)},
	{"map-same-key", "%2\r\n+a\r\n:1\r\n$1\r\na\r\n:2\r\n", def, ok(`%[+"a" :1 $"a" :2]`)},
	{"map-every-scalar-key", "%10\r\n+s\r\n:0\r\n-e\r\n:1\r\n:1\r\n:2\r\n$1\r\nb\r\n:3\r\n_\r\n:4\r\n#t\r\n:5\r\n,1\r\n:6\r\n(9\r\n:7\r\n!1\r\nE\r\n:8\r\n=4\r\ntxt:\r\n:9\r\n", def,
		ok(`%[+"s" :0 -"e" :1 :1 :2 $"b" :3 _ :4 #t :5 ,1 :6 (9 :7 !"E" :8 ="txt:" :9]`)},
	{"map-every-scalar-value", "%10\r\n:0\r\n+s\r\n:1\r\n-e\r\n:2\r\n:1\r\n:3\r\n$1\r\nb\r\n:4\r\n_\r\n:5\r\n#f\r\n:6\r\n,nan\r\n:7\r\n(+9\r\n:8\r\n!0\r\n\r\n:9\r\n=6\r\nmkd:ab\r\n", def,
		ok(`%[:0 +"s" :1 -"e" :2 :1 :3 $"b" :4 _ :5 #f :6 ,nan :7 (+9 :8 !"" :9 ="mkd:ab"]`)},
	{"map-aggregate-keys", "%3\r\n*1\r\n:1\r\n+a\r\n~1\r\n:2\r\n+s\r\n%1\r\n:3\r\n:4\r\n+m\r\n", def, ok(`%[*[:1] +"a" ~[:2] +"s" %[:3 :4] +"m"]`)},
	{"map-aggregate-values", "%3\r\n+a\r\n*1\r\n:1\r\n+s\r\n~1\r\n:2\r\n+m\r\n%1\r\n:3\r\n:4\r\n", def, ok(`%[+"a" *[:1] +"s" ~[:2] +"m" %[:3 :4]]`)},
	{"map-null-keys", "%3\r\n_\r\n:1\r\n$-1\r\n:2\r\n*-1\r\n:3\r\n", def, ok(`%[_ :1 _ :2 _ :3]`)},
	{"map-null-values", "%3\r\n:1\r\n_\r\n:2\r\n$-1\r\n:3\r\n*-1\r\n", def, ok(`%[:1 _ :2 _ :3 _]`)},
	{"map-empty-aggregates", "%2\r\n*0\r\n%0\r\n~0\r\n*0\r\n", def, ok(`%[*[] %[] ~[] *[]]`)},
	{"map-deep", "%1\r\n+a\r\n%1\r\n+b\r\n%1\r\n+c\r\n:1\r\n", def, ok(`%[+"a" %[+"b" %[+"c" :1]]]`)},
	{"map-behind", "%1\r\n+a\r\n:1\r\n+b\r\n", def, ok(`%[+"a" :1]`).behind(4)},
	{"map-cut-at-value", "%1\r\n+a\r\n", def, more()},
	{"map-cut-at-pair", "%2\r\n+a\r\n:1\r\n", def, more()},
	{"map-nan-keys", "%2\r\n,nan\r\n:1\r\n,-nan\r\n:2\r\n", def, ok(`%[,nan :1 ,-nan :2]`)},
	{"map-hello", "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n", def,
		ok(`%[$"server" $"redis" $"proto" :3 $"modules" *[]]`)},
}

// attributeCases are attributes before frames and before inner values.
var attributeCases = []Case{
	{"attribute", "|1\r\n+ttl\r\n:3600\r\n+OK\r\n", def, ok(`|[+"ttl" :3600]+"OK"`)},
	{"attribute-empty", "|0\r\n:1\r\n", def, ok(`|[]:1`)},
	{"attribute-of-specification", "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:2039123\r\n:9543892\r\n", def,
		ok(`|[+"key-popularity" %[$"a" ,0.1923 $"b" ,0.0012]]*[:2039123 :9543892]`)},
	{"attribute-inner-of-specification", "*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n", def, ok(`*[:1 :2 |[+"ttl" :3600]:3]`)},
	{"attribute-of-debug", "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n", def,
		ok(`|[$"key-popularity" *[$"key:123" :90]]$"Some real reply following the attribute"`)},
	{"attribute-twice", "|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n+OK\r\n", def, ok(`|[+"a" :1 +"b" :2]+"OK"`)},
	{"attribute-three-one-empty", "|1\r\n+a\r\n:1\r\n|0\r\n|1\r\n+b\r\n:2\r\n_\r\n", def, ok(`|[+"a" :1 +"b" :2]_`)},
	{"attribute-before-set-element", "~1\r\n|1\r\n+a\r\n:1\r\n#t\r\n", def, ok(`~[|[+"a" :1]#t]`)},
	{"attribute-before-map-key", "%1\r\n|1\r\n+a\r\n:1\r\n+k\r\n:2\r\n", def, ok(`%[|[+"a" :1]+"k" :2]`)},
	{"attribute-before-map-value", "%1\r\n+k\r\n|1\r\n+a\r\n:1\r\n:2\r\n", def, ok(`%[+"k" |[+"a" :1]:2]`)},
	{"attribute-before-both", "%1\r\n|1\r\n+a\r\n:1\r\n+k\r\n|1\r\n+b\r\n:2\r\n:3\r\n", def, ok(`%[|[+"a" :1]+"k" |[+"b" :2]:3]`)},
	{"attribute-before-aggregate", "*1\r\n|1\r\n+a\r\n:1\r\n*1\r\n:2\r\n", def, ok(`*[|[+"a" :1]*[:2]]`)},
	{"attribute-before-nulls", "*3\r\n|0\r\n_\r\n|0\r\n$-1\r\n|0\r\n*-1\r\n", def, ok(`*[|[]_ |[]_ |[]_]`)},
	{"attribute-twice-inner", "*1\r\n|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n:3\r\n", def, ok(`*[|[+"a" :1 +"b" :2]:3]`)},
	{"attribute-every-element", "*3\r\n|1\r\n+a\r\n:1\r\n:1\r\n|1\r\n+b\r\n:2\r\n:2\r\n|1\r\n+c\r\n:3\r\n:3\r\n", def,
		ok(`*[|[+"a" :1]:1 |[+"b" :2]:2 |[+"c" :3]:3]`)},
	{"attribute-before-attribute-key", "|1\r\n|1\r\n+x\r\n:9\r\n+a\r\n:1\r\n:2\r\n", def, ok(`|[|[+"x" :9]+"a" :1]:2`)},
	{"attribute-before-attribute-value", "|1\r\n+a\r\n|1\r\n+x\r\n:9\r\n:1\r\n:2\r\n", def, ok(`|[+"a" |[+"x" :9]:1]:2`)},
	{"attribute-holds-aggregates", "|2\r\n*1\r\n:1\r\n~1\r\n:2\r\n%0\r\n*-1\r\n#f\r\n", def, ok(`|[*[:1] ~[:2] %[] _]#f`)},
	{"attribute-before-every-scalar", "*10\r\n|0\r\n+s\r\n|0\r\n-e\r\n|0\r\n:1\r\n|0\r\n$1\r\nb\r\n|0\r\n_\r\n|0\r\n#t\r\n|0\r\n,1\r\n|0\r\n(9\r\n|0\r\n!1\r\nE\r\n|0\r\n=4\r\ntxt:\r\n", def,
		ok(`*[|[]+"s" |[]-"e" |[]:1 |[]$"b" |[]_ |[]#t |[],1 |[](9 |[]!"E" |[]="txt:"]`)},
	{"attribute-after-last-element", "*1\r\n:1\r\n|1\r\n+a\r\n:1\r\n:2\r\n", def, ok(`*[:1]`).behind(16)},
	{"attribute-alone", "|1\r\n+a\r\n:1\r\n", def, more()},
	{"attribute-alone-empty", "|0\r\n", def, more()},
	{"attribute-alone-twice", "|0\r\n|0\r\n", def, more()},
	{"attribute-alone-inner", "*1\r\n|0\r\n", def, more()},
	{"attribute-cut-at-value", "|1\r\n+a\r\n", def, more()},
	{"attribute-behind", "|0\r\n:1\r\n|0\r\n", def, ok(`|[]:1`).behind(4)},
}

// pushPlaceCases are pushes that together hold every type.
var pushPlaceCases = []Case{
	{"push-every-scalar", ">11\r\n+p\r\n+s\r\n-e\r\n:1\r\n$1\r\nb\r\n_\r\n#t\r\n,1.5\r\n(9\r\n!1\r\nE\r\n=5\r\ntxt:v\r\n", def,
		ok(`>[+"p" +"s" -"e" :1 $"b" _ #t ,1.5 (9 !"E" ="txt:v"]`)},
	{"push-every-aggregate", ">4\r\n+p\r\n*1\r\n:1\r\n~1\r\n:2\r\n%1\r\n:3\r\n:4\r\n", def, ok(`>[+"p" *[:1] ~[:2] %[:3 :4]]`)},
	{"push-every-null", ">4\r\n+p\r\n_\r\n$-1\r\n*-1\r\n", def, ok(`>[+"p" _ _ _]`)},
	{"push-attribute-before", "|1\r\n+a\r\n:1\r\n>1\r\n+p\r\n", def, ok(`|[+"a" :1]>[+"p"]`)},
	{"push-attribute-before-name", ">2\r\n|1\r\n+a\r\n:1\r\n+p\r\n:1\r\n", def, ok(`>[|[+"a" :1]+"p" :1]`)},
	{"push-attribute-before-element", ">2\r\n+p\r\n|1\r\n+a\r\n:1\r\n:1\r\n", def, ok(`>[+"p" |[+"a" :1]:1]`)},
	{"push-attribute-everywhere", "|0\r\n>2\r\n|0\r\n+p\r\n|0\r\n:1\r\n", def, ok(`|[]>[|[]+"p" |[]:1]`)},
	{"push-behind", ">1\r\n+p\r\n+PONG\r\n", def, ok(`>[+"p"]`).behind(7)},
	{"push-then-push", ">1\r\n+p\r\n>1\r\n+q\r\n", def, ok(`>[+"p"]`).behind(8)},
	{"push-cut-before-name", ">1\r\n", def, more()},
	{"push-cut-in-name", ">2\r\n$7\r\nmessa", def, more()},
	{"push-cut-after-name", ">2\r\n$7\r\nmessage\r\n", def, more()},
	{"push-deep-argument", ">2\r\n+p\r\n*1\r\n%1\r\n+k\r\n~1\r\n_\r\n", def, ok(`>[+"p" *[%[+"k" ~[_]]]]`)},
}

// placeCases put types at places where they seldom occur.
var placeCases = []Case{
	{"place-verbatim-map-key", "%1\r\n=7\r\ntxt:key\r\n:1\r\n", def, ok(`%[="txt:key" :1]`)},
	{"place-error-set", "~1\r\n-WRONGTYPE x\r\n", def, ok(`~[-"WRONGTYPE x"]`)},
	{"place-error-array", "*2\r\n+OK\r\n-ERR no\r\n", def, ok(`*[+"OK" -"ERR no"]`)},
	{"place-bulk-error-map-key", "%1\r\n!3\r\nERR\r\n_\r\n", def, ok(`%[!"ERR" _]`)},
	{"place-big-map-key", "%1\r\n(18446744073709551616\r\n#t\r\n", def, ok(`%[(18446744073709551616 #t]`)},
	{"place-double-attribute", "|1\r\n,1.5\r\n,-inf\r\n,nan\r\n", def, ok(`|[,1.5 ,-inf],nan`)},
	{"place-null-attribute-key", "|1\r\n_\r\n_\r\n_\r\n", def, ok(`|[_ _]_`)},
	{"place-resp2-null-attribute", "|1\r\n$-1\r\n*-1\r\n$-1\r\n", def, ok(`|[_ _]_`)},
	{"place-boolean-attribute", "|1\r\n#t\r\n#f\r\n#t\r\n", def, ok(`|[#t #f]#t`)},
	{"place-error-attribute", "|1\r\n-a\r\n!1\r\nb\r\n-c\r\n", def, ok(`|[-"a" !"b"]-"c"`)},
	{"place-verbatim-attribute", "|1\r\n=4\r\ntxt:\r\n=5\r\nmkd:x\r\n=4\r\ntxt:\r\n", def, ok(`|[="txt:" ="mkd:x"]="txt:"`)},
	{"place-big-push", ">2\r\n+p\r\n(-1\r\n", def, ok(`>[+"p" (-1]`)},
	{"place-boolean-set", "~2\r\n#t\r\n#f\r\n", def, ok(`~[#t #f]`)},
	{"place-map-in-set-in-array", "*1\r\n~1\r\n%1\r\n~1\r\n:1\r\n*1\r\n:2\r\n", def, ok(`*[~[%[~[:1] *[:2]]]]`)},
	{"place-map-key-of-map-key", "%1\r\n%1\r\n%1\r\n:1\r\n:2\r\n:3\r\n:4\r\n", def, ok(`%[%[%[:1 :2] :3] :4]`)},
	{"place-empty-string-everywhere", "%1\r\n$0\r\n\r\n*2\r\n+\r\n~1\r\n!0\r\n\r\n", def, ok(`%[$"" *[+"" ~[!""]]]`)},
}
