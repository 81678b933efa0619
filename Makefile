# respush: `make run` shows the main job, `make test` runs the tests, `make check`
# is all that CI runs.

GO          ?= go
STATICCHECK  = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
MODULES      = . cmd/respush examples
FUZZTIME    ?= 20000x
BENCH       ?= Process|Pushes
BENCHCOUNT  ?= 6
FUZZ         = parser:FuzzFrame parser:FuzzSplit parser:FuzzValue fuzz:FuzzStream
BASELINE     = bench/baseline.txt

.PHONY: run test check fmt vet staticcheck tidy race tags cross fuzz bench-smoke bench

run:
	$(GO) run ./cmd/respush tail

test:
	@for m in $(MODULES); do (cd $$m && $(GO) test ./...) || exit 1; done

check: fmt vet staticcheck tidy test race tags cross fuzz bench-smoke
	@echo "check: all green"

fmt:
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt: $$files"; exit 1; fi

vet:
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(GO) vet -tags respushdebug,purego,respushgeneral ./...) || exit 1; done

staticcheck:
	@for m in $(MODULES); do (cd $$m && $(STATICCHECK) ./...) || exit 1; done

tidy:
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) mod tidy -diff) || exit 1; done

race:
	@for m in $(MODULES); do (cd $$m && $(GO) test -race ./...) || exit 1; done

# Every build tag alone: copies instead of unsafe, borrowed bytes overwritten, no fast path.
tags:
	$(GO) test -tags purego ./parser ./registry ./dispatch
	$(GO) test -tags respushdebug ./parser ./dispatch
	$(GO) test -tags respushgeneral ./parser ./dispatch

cross:
	GOARCH=386 $(GO) build ./...
	GOARCH=386 $(GO) vet ./...
	if [ "$$($(GO) env GOHOSTARCH)" = amd64 ]; then GOARCH=386 $(GO) test -short ./parser ./registry ./dispatch ./internal/...; fi

# Each fuzz target for a set number of executions beyond its seeds; FUZZTIME=10m for a campaign.
fuzz:
	@for t in $(FUZZ); do \
		$(GO) test -run '^$$' -fuzz "^$${t#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 0x ./$${t%%:*} || exit 1; \
	done

bench-smoke:
	$(GO) test -run '^$$' -bench . -benchtime 1x ./bench > /dev/null

# Ours against the committed baseline, in ratios: absolute times are the machine's.
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -count $(BENCHCOUNT) ./bench | tee bench/latest.txt
	$(GO) tool benchstat $(BASELINE) bench/latest.txt
