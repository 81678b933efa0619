#!/usr/bin/env bash
# The tests with every go-redis that this module is tested with: go.mod requires
# the oldest stable one that works, and each go.VERSION.mod another, the first of
# them a beta that has what the module is for. Arguments go to go test. A go.mod
# for a newer Go than there is, is left out.
set -euo pipefail
cd "$(dirname "$0")"
export GOWORK=off
go="${GO:-go}"
have=$("$go" env GOVERSION)
for mod in go.9.15.mod go.mod go.9.22.mod go.9.23.mod; do
	need=$(sed -n 's/^go //p' "$mod")
	if [ "$(printf '%s\n' "$need" "${have#go}" | sort -V | head -n 1)" != "$need" ]; then
		echo "$mod: skipped, needs Go $need"
		continue
	fi
	"$go" list -m -modfile="$mod" -f '{{.Path}} {{.Version}}' github.com/redis/go-redis/v9
	"$go" mod tidy -modfile="$mod" -diff
	"$go" vet -modfile="$mod" ./...
	"$go" test -modfile="$mod" "$@" ./...
done
