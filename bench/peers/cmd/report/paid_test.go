package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The figures just meet every target. Then each of them is made a little worse.
func TestPaid(t *testing.T) {
	const lines = `pkg: x/bench
BenchmarkProcess/frame=F1/impl=respush-2 1 20 ns/op
BenchmarkHandlerNotify/frame=F1/impl=respush-2 1 40 ns/op
BenchmarkHandlerNotify/frame=F1/impl=walk-2 1 40 ns/op
BenchmarkHandlerValues/frame=F8/impl=respush-2 1 12 ns/op
BenchmarkHandlerValues/frame=F8/impl=walk-2 1 10 ns/op
BenchmarkWait/source=own/impl=void-2 1 99 ns/op 12 added-ns/op
BenchmarkPushAlone/frame=F1/source=bufio/then=push/impl=respush-2 1 40 ns/op
BenchmarkReplies/frame=F9/impl=respush-2 1 150 ns/op
BenchmarkReplies/frame=F9/impl=walk-2 1 100 ns/op
BenchmarkTap/conn=tcp/reply=status/impl=tap-2 1 1000 ns/op
BenchmarkTap/conn=tcp/reply=status/impl=bare-2 1 800 ns/op
BenchmarkTapRoundTrip/reply=status/impl=tap-2 1 9000 ns/op 2000 added-ns/op
BenchmarkRest/after=push/impl=respush-2 1 9 ns/op 12288 B/conn
BenchmarkServeMany/conns=100/impl=respush-2 1 100 ns/op 7 MiB
BenchmarkServeMany/conns=10000/impl=respush-2 1 105 ns/op 120 MiB
pkg: x/peers
BenchmarkPush/frame=F1/impl=respush-decoded-2 1 80 ns/op 8 allocs/op
BenchmarkPush/frame=F1/impl=go-redis-2 1 100 ns/op 8 allocs/op
BenchmarkPush/frame=F9/impl=redcon-2 1 150 ns/op
pkg: x/goredis
BenchmarkCommand/impl=respush-2 1 101 ns/op
BenchmarkCommand/impl=builtin-2 1 100 ns/op
BenchmarkPushAlone/frame=F1/impl=respush-2 1 800 ns/op 25 added-ns/op
BenchmarkPushAlone/frame=F1/impl=respush-decoded-2 1 900 ns/op 100 added-ns/op
BenchmarkPushAlone/frame=F1/impl=builtin-2 1 900 ns/op 100 added-ns/op
`
	paid := func(in string) string {
		r, err := readResults(strings.NewReader(in), "x")
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, printPaid(&out, r))
		return out.String()
	}
	require.Contains(t, paid(lines), "16 of 16 held\n")
	require.Contains(t, paid(strings.ReplaceAll(lines, "impl=respush-2 1 40 ns/op", "impl=respush-2 1 41 ns/op")), "14 of 16 held\n")
	for _, worse := range [][2]string{
		{"1 12 ns/op", "1 12.1 ns/op"}, {"12 added", "12.1 added"}, {"1 1000 ns/op", "1 1001 ns/op"}, {"2000 added", "2001 added"},
		{"12288 B", "12289 B"}, {"1 105 ns/op", "1 106 ns/op"}, {"120 MiB", "121 MiB"}, {"1 80 ns/op", "1 81 ns/op"},
		{"80 ns/op 8 allocs", "80 ns/op 9 allocs"}, {"redcon-2 1 150", "redcon-2 1 149"}, {"walk-2 1 100", "walk-2 1 99"},
		{"1 101 ns/op", "1 102 ns/op"}, {"25 added", "26 added"}, {"decoded-2 1 900 ns/op 100", "decoded-2 1 900 ns/op 101"},
	} {
		require.Contains(t, lines, worse[0])
		require.Contains(t, paid(strings.Replace(lines, worse[0], worse[1], 1)), "15 of 16 held\n", worse[1])
	}
	require.Empty(t, paid("pkg: x/peers\nBenchmarkPush/frame=F1/impl=respush-2 1 12 ns/op\n"))
}
