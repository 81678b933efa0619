#!/usr/bin/env bash
# bench/compare.sh COMMIT checks whether this tree is slower than COMMIT. It
# builds both test binaries and runs them alternately, since a machine's speed
# drifts. It compares the least time of all rounds, because anything else that
# runs on the machine can only add to the time. If a benchmark reports the
# processor time of its goroutine, that time decides.
#
#   ROUNDS     how often each binary runs
#   BENCHTIME  time of each benchmark in a round; below 100ms the clock is too coarse
#   BENCH      which benchmarks run, a pattern for go test -bench
#   MOST       the largest ratio of head to base that passes
#
# The status is 1 if a ratio is above MOST. A benchmark whose code does not
# depend on respush (floor-*, bare, walk) gets no verdict: its ratio shows the
# noise.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:?usage: bench/compare.sh COMMIT}
go=${GO:-go}
rounds=${ROUNDS:-10}
benchtime=${BENCHTIME:-100ms}
most=${MOST:-1.03}
process='^BenchmarkProcess$'
pattern=${BENCH:-"$process/^frame=(F[1-9]|N[0-4])\$/^impl=respush\$|$process/^frame=N4\$/^(piece|keys)=|$process/^frame=F1\$/^impl=floor-lines\$|^BenchmarkServe\$|^BenchmarkTap\$"}

tmp=$(mktemp -d)
cleanup() {
	git worktree remove --force "$tmp/tree" 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

git worktree add --quiet --detach "$tmp/tree" "$base"
(cd "$tmp/tree" && "$go" test -c -o "$tmp/base.test" ./bench)
"$go" test -c -o "$tmp/head.test" ./bench

# run runs a binary and appends its results to its file.
run() {
	(cd bench && "$tmp/$1.test" -test.run '^$' -test.bench "$pattern" -test.benchtime "$benchtime" -test.timeout 30m) \
		> "$tmp/out" || { cat "$tmp/out"; exit 2; }
	grep '^Benchmark' "$tmp/out" >> "$tmp/$1.txt" || { echo "no benchmark matches in $1"; exit 2; }
}
for i in $(seq "$rounds"); do
	echo "round $i of $rounds" >&2
	if [ $((i % 2)) = 1 ]; then
		run base
		run head
	else
		run head
		run base
	fi
done

echo "base: $(git log -1 --format='%h %s' "$base")"
awk -v most="$most" '
	FNR == 1 { side++ }
	{
		name = $1
		sub(/^Benchmark/, "", name)
		sub(/-[0-9]+$/, "", name)
		if (!(name in known)) {
			known[name] = 1
			names[++n] = name
		}
		for (i = 3; i < NF; i += 2) {
			key = name SUBSEP $(i + 1) SUBSEP side
			if (!(key in least) || $i < least[key]) least[key] = $i
		}
	}
	# ratio returns head divided by base in a unit, or 0 if either lacks the unit.
	function ratio(name, unit,  a, b) {
		a = least[name, unit, 1] + 0
		b = least[name, unit, 2] + 0
		return a > 0 && b > 0 ? b / a : 0
	}
	function show(r) { return r > 0 ? sprintf("%.3f", r) : "" }
	END {
		printf "%-52s %12s %12s %7s %7s\n", "least ns/op", "base", "head", "ratio", "cpu"
		for (i = 1; i <= n; i++) {
			name = names[i]
			time = ratio(name, "ns/op")
			cpu = ratio(name, "cpu-ns/op")
			decides = cpu > 0 ? cpu : time
			verdict = "held"
			if (time == 0) verdict = "only in one"
			else if (name ~ /impl=(floor-.*|bare|walk)$/) verdict = "noise"
			else if (decides > most) { verdict = "SLOWER"; slower++ }
			else if (decides < 2 - most) verdict = "faster"
			printf "%-52s %12.5g %12.5g %7s %7s  %s\n", name, least[name, "ns/op", 1], least[name, "ns/op", 2], show(time), show(cpu), verdict
			if (least[name, "allocs/op", 2] > least[name, "allocs/op", 1])
				printf "%-52s %12d %12d allocs/op\n", "", least[name, "allocs/op", 1], least[name, "allocs/op", 2]
		}
		printf "%d of %d above %.2f\n", slower, n, most
		exit slower > 0
	}
' "$tmp/base.txt" "$tmp/head.txt"
