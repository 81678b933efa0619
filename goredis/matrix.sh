#!/usr/bin/env bash
# The tests with the oldest and the newest go-redis that this module is for, by
# go.mod and go.latest.mod; the workspace has one in between. Arguments go to
# go test. A go.mod for a newer Go than there is, is left out.
set -euo pipefail
cd "$(dirname "$0")"
export GOWORK=off
go="${GO:-go}"
have=$("$go" env GOVERSION)
for mod in go.mod go.latest.mod; do
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
