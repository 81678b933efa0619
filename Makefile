# respush: `make run` shows the main job, `make test` runs the tests, `make check`
# is all that CI runs.

GO          ?= go
STATICCHECK  = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# bench/peers has the latest of every peer, which need a newer Go than the rest: it is outside of the workspace, and
# left out where Go is older.
PEERS       := $(shell printf '%s\n' go1.26 "$$($(GO) env GOVERSION)" | sort -VC && echo bench/peers)
WORKSPACE    = . goredis cmd/respush examples e2e
MODULES      = $(WORKSPACE) $(PEERS)
# each runs a command in every module.
each         = for m in $(MODULES); do (cd $$m && if [ $$m = bench/peers ]; then export GOWORK=off; fi && $(1)) || exit 1; done
TESTFLAGS    = -ldflags='-s -w' -p 4 -parallel 8
FUZZTIME    ?= 20000x
BENCH       ?= Process|Pushes
BENCHCOUNT  ?= 6
FUZZ         = parser:FuzzFrame parser:FuzzSplit parser:FuzzValue fuzz:FuzzStream fuzz:FuzzHandlers tap:FuzzTap \
               notify:FuzzInvalidation notify:FuzzMessage notify:FuzzSubscription notify:FuzzMoving notify:FuzzMigration \
               notify:FuzzSlotMigration notify:FuzzTrackingRedirBroken notify:FuzzServerCPUUsage
BASELINE     = bench/baseline.txt
# What the targets are about beside the peers. SCALING: no push, no handler, many names, pieces, keys, readers. PAID: what
# a caller pays.
SCALING      = Process/frame=(N[0-4]|F1|F8)$$/impl=respush|Process/frame=(N4|F8)$$/(piece|keys)=|Lookup
PAID         = HandlerNotify/frame=F[1-8]$$/impl=|HandlerValues|Wait|PushAlone/frame=F1$$|Replies|Tap/conn=tcp|TapRoundTrip|Rest|ServeMany
PEERSTIME   ?= 0.2s
SOAK        ?= 2m
# hiredis is a peer where its headers are installed (Debian: libhiredis-dev).
HIREDIS      = $(if $(wildcard /usr/include/hiredis/hiredis.h),hiredis)

.PHONY: run test check fmt vet staticcheck tidy race tags cross oldest matrix valkey fuzz soak soak-server soak-cluster soak-sentinel soak-clients bench-smoke bench bench-compare bench-peers bench-endtoend peers-suites

run:
	$(GO) run ./cmd/respush tail

# All modules of the workspace at once, and more tests than there are processors, as many wait for a server. What only a
# debugger reads is left out, as it takes long to link.
test:
	$(GO) test $(TESTFLAGS) $(WORKSPACE:%=./%/...)
	$(if $(PEERS),cd $(PEERS) && GOWORK=off $(GO) test $(TESTFLAGS) ./...)

check: fmt vet staticcheck tidy test race tags cross oldest matrix valkey fuzz bench-smoke
	@echo "check: all green"

fmt:
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt: $$files"; exit 1; fi

vet:
	@$(call each,$(GO) vet ./... && $(GO) vet -tags "respushdebug purego respushgeneral $(HIREDIS)" ./...)

staticcheck:
	@$(call each,$(STATICCHECK) ./...)

tidy:
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) mod tidy -diff) || exit 1; done

race:
	@$(call each,$(GO) test -race ./...)

# Every build tag alone: copies instead of unsafe, borrowed bytes overwritten, no fast path.
tags:
	$(GO) test -tags purego ./parser ./registry ./dispatch ./notify ./tap
	$(GO) test -tags respushdebug ./parser ./dispatch ./notify ./tap
	$(GO) test -tags respushgeneral ./parser ./dispatch ./notify ./tap

cross:
	GOARCH=386 $(GO) build ./...
	GOARCH=386 $(GO) vet ./...
	if [ "$$($(GO) env GOHOSTARCH)" = amd64 ]; then GOARCH=386 $(GO) test -short ./parser ./registry ./dispatch ./notify ./tap ./internal/...; fi

# The oldest Go that go.mod allows: every module of the workspace is vetted, and what users import is tested. It is
# downloaded, and left out where it cannot be.
OLDEST = go$(shell sed -n 's/^go //p' go.mod)
oldest:
	@if ! GOTOOLCHAIN=$(OLDEST) $(GO) version; then echo "$(OLDEST): skipped, it cannot be downloaded"; exit 0; fi; \
	export GOTOOLCHAIN=$(OLDEST); \
	for m in $(WORKSPACE); do (cd $$m && $(GO) vet ./...) || exit 1; done; \
	$(GO) test -short ./parser ./registry ./dispatch ./notify ./tap ./feed

# goredis with each go-redis that it is tested with.
matrix:
	./goredis/matrix.sh

# The tests against servers, with Valkey. They are left out where valkey-server is not installed. Any other server:
# RESPUSH_SERVER=/path/to/server make test.
valkey:
	@if ! command -v valkey-server > /dev/null; then echo "valkey: skipped, valkey-server is not installed"; exit 0; fi; \
	valkey-server --version; \
	RESPUSH_SERVER=valkey-server $(GO) test $(TESTFLAGS) ./dispatch ./tap ./feed ./internal/test/redistest ./goredis ./cmd/respush/... ./examples/... ./e2e

# Each fuzz target for a set number of executions beyond its seeds; FUZZTIME=10m for a campaign.
fuzz:
	@for t in $(FUZZ); do \
		$(GO) test -run '^$$' -fuzz "^$${t#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 0x ./$${t%%:*} || exit 1; \
	done

# Feeds, Clusters, and the clients of Serve, tap and goredis under faults on real servers, for as long as SOAK says and all
# at once, as each mostly waits. Those with random faults log their seeds, for RESPUSH_SEED.
soak:
	$(MAKE) -j --output-sync=line soak-server soak-cluster soak-sentinel soak-clients

SOAKING = RESPUSH_SOAK=$(SOAK) $(GO) test -race -count 1 -timeout 0 -v
soak-server:
	$(SOAKING) -run 'UnderFaults|AsOf|Reconnects' ./feed
soak-cluster:
	cd e2e && $(SOAKING) -run ClusterFeedServesNothingStale .
soak-sentinel:
	cd e2e && $(SOAKING) -run SentinelFeedServesNothingStale .
soak-clients:
	cd e2e && $(SOAKING) -run ComeAndGo .

bench-smoke:
	$(GO) test -run '^$$' -bench . -benchtime 1x ./bench > /dev/null
	$(if $(PEERS),cd bench/peers && GOWORK=off $(GO) test -tags '$(HIREDIS)' -run '^$$' -bench . -benchtime 1x . > /dev/null)
	cd goredis && $(GO) test -run '^$$' -bench . -benchtime 1x . > /dev/null

.PHONY: api vulncheck cover

# Writes the listings of exported names that a test compares with the code.
api:
	$(GO) test ./internal/test/api -run Listing -update

# Known vulnerabilities in what the modules call. It needs the network (vuln.go.dev), so it is not part of check.
vulncheck:
	@$(call each,$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...)

# The share of statements that the tests of a package itself reach.
cover:
	$(GO) test -cover ./parser ./registry ./dispatch ./notify ./tap

# Ours against the committed baseline, in ratios: absolute times are the machine's.
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -count $(BENCHCOUNT) ./bench > bench/latest.txt || { cat bench/latest.txt; exit 1; }
	$(GO) tool benchstat $(BASELINE) bench/latest.txt

# This tree against the commit BASE, whose binary runs in turn with ours: about five minutes.
bench-compare:
	./bench/compare.sh $(BASE)

# Ours beside other clients, with all targets and the table and the chart of the README: about ten minutes. All benchmarks run
# in rounds, and the least of a benchmark counts: what slows the machine down for some seconds is then in one round alone.
bench-peers: PEERSBENCH = -run '^$$' -benchtime $(PEERSTIME) -timeout 40m
bench-peers: LATEST = $(CURDIR)/bench/peers/latest.txt
bench-peers:
	for round in $$(seq $(BENCHCOUNT)); do \
		(cd bench/peers && GOWORK=off $(GO) test -tags '$(HIREDIS)' $(PEERSBENCH) -bench . .) && \
		$(GO) test $(PEERSBENCH) -bench '$(SCALING)|$(PAID)' ./bench && \
		(cd goredis && $(GO) test $(PEERSBENCH) -bench 'Command|PushAlone' .) || exit 1; \
	done > $(LATEST) || { cat $(LATEST); exit 1; }
	$(GO) tool benchstat -filter '.name:Push .unit:(ns/op OR allocs/op)' -col /impl -row /frame $(LATEST)
	cd bench/peers && GOWORK=off $(GO) run -tags '$(HIREDIS)' ./cmd/report -svg ../../docs/bench.svg -readme ../../README.md $(LATEST)

# CPU time and latency of clients on a real server: about two minutes.
bench-endtoend:
	cd bench/peers && GOWORK=off $(GO) run ./cmd/endtoend

# Tests that redigo and go-redis have of themselves, with ours in: not part of check, as it downloads their sources.
peers-suites:
	GO='$(GO)' ./e2e/suites/run.sh
