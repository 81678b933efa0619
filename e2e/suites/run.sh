#!/usr/bin/env bash
# Tests that peers have of themselves, with respush in its place (make peers-suites):
#
#   redigo    its own suite, on the redis-server that it starts, unmodified but for
#             the dial: a push is injected before every reply, and a tap takes the
#             pushes out (testdata/redigo/tap.go)
#             (TLS ends before the tap.) SUITE_TAP=off leaves the tap away: then some
#             60 of its tests fail, after minutes
#   go-redis  the tests of its package push, in a copy of the package whose
#             Processor is goredis.Processor (testdata/push/swap.go)
#
# The sources come through the Go module proxy, into a temporary folder. What fails
# is compared with expected.txt, which gives the reasons, and so are the figures. Any difference fails the run.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD root=$(cd ../.. && pwd) go="${GO:-go}"
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GOWORK=off GOFLAGS=-mod=mod
: >"$work/figures"

# fetch MODULE VERSION DIR: a writable copy.
fetch() {
	local from
	from=$(cd "$work" && "$go" mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	cp -r "$from" "$3"
	chmod -R u+w "$3"
}

# run NAME: runs the tests of the package here, and adds what fails
# and how many top-level and inner tests pass to the figures.
run() {
	local name=$1
	"$go" test -vet=off -count=1 -v . >"$work/$name.out" 2>&1 || true
	if ! grep -q '^--- ' "$work/$name.out"; then
		tail -n 20 "$work/$name.out"
		exit 1
	fi
	sed -n 's/^ *--- FAIL: \([^ ]*\) .*/\1/p' "$work/$name.out" | sort | sed "s|^|$name fails: |" >>"$work/figures"
	echo "$name passes: $(grep -c '^ *--- PASS' "$work/$name.out")" >>"$work/figures"
}

redigo() {
	fetch github.com/gomodule/redigo v1.9.3 "$work/redigo"
	cp testdata/redigo/tap.go "$work/redigo/redis/"
	cd "$work/redigo"
	sed -i '/^func DialContext(/,/^}/s|^\tc := &conn{$|\tnetConn = tapped(netConn)\n&|' redis/conn.go
	grep -q 'netConn = tapped(netConn)' redis/conn.go
	"$go" mod edit -go=1.24 -replace github.com/seed79615202/respush="$root"
	"$go" mod tidy 2>/dev/null
	cd redis
	export SUITE_TAKEN="$work/taken"
	: >"$SUITE_TAKEN"
	run redigo
	local taken
	taken=$(wc -c <"$SUITE_TAKEN")
	echo "redigo pushes taken out: $taken" # differs a little, as some tests wait for each other
	[ "$taken" -ge 1000 ]
	cd "$here"
}

push() {
	fetch github.com/redis/go-redis/v9 "v$1" "$work/goredis-$1"
	cd "$work/goredis-$1"
	cp -r push suite
	sed -i 's/\bProcessor\b/builtinProcessor/g; s/\bNewProcessor\b/newBuiltinProcessor/g' suite/processor.go
	cp "$here/testdata/push/swap.go" suite/
	"$go" mod edit -replace github.com/seed79615202/respush="$root" -replace github.com/seed79615202/respush/goredis="$root/goredis"
	"$go" mod edit -require github.com/seed79615202/respush/goredis@v0.0.0 -require github.com/seed79615202/respush@v0.0.0
	cd suite
	run "push-$1"
	cd "$here"
}

redigo
push 9.22.0
push 9.23.0
cat "$work/figures"
diff <(grep -v '^#\|^$' expected.txt) "$work/figures"
echo "peers-suites: as expected"
