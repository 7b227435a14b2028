# make run    installs what is missing, builds, and shows the whole gateway at work
# make test   installs what is missing, and runs every test
# make check  the tests, and the linters
# make bench  the benchmarks
# make calls  CALLS simulated calls to two gateways that are killed in turn, and a table
# make chats  CHATS customers in and out of tunnels, gateways killed, Redis paused
# make rules  10,000 rules files that nobody would write: none panics, all format
# make fuzz   every fuzz target for FUZZTIME

FUZZTIME ?= 30s
CALLS    ?= 1080
CHATS    ?= 500
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: rules calls chats run build test check lint bench fuzz

run: build
	./bin/hearken demo

build:
	@scripts/install run
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/hearken ./cmd/hearken

test:
	@scripts/install test
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	go vet ./...
	go test -race -shuffle=on -timeout 9m ./...

check: test lint

lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run ./...

# Beside the benchmarks of each package: reading mail beside go-message and
# enmime, and emptying a mailbox beside mbsync (Debian: isync); routing beside
# compiled expressions (expr); the dispatcher beside the bare hop, and beside
# Benthos; ten thousand chat windows beside the centrifuge library.
bench:
	@scripts/install bench
	go test -run '^$$' -bench . -benchmem ./...
	cd bench/mail && go test -run '^$$' -bench . -benchmem .
	cd bench/rules && go test -bench . .
	cd bench/hop && go test -run '^$$' -bench . -benchtime 5x .
	cd bench/benthos && go test -run '^$$' -bench . -benchtime 5x .
	cd bench/chat && go run .

calls:
	HEARKEN_CALLS=$(CALLS) go test -count=1 -v -run OneComplaintOfOneNumber ./cmd/hearken

chats:
	HEARKEN_CHATS=$(CHATS) go test -count=1 -v -run ChatsThroughTunnels ./cmd/hearken

rules:
	HEARKEN_RULES=10000 go test -count=1 -v -run 'TestFormatAnyRules|TestAnyBrokenRules' ./config

fuzz:
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x $$pkg || exit 1; \
		done; \
	done
