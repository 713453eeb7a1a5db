# Every task of the project. `make` or `make help` lists them.
# Two matter to a newcomer: `make demo` and `make test`; each does its own set-up.

MODULES     = $(shell go list -m -f '{{.Dir}}')
FUZZTIME   ?= 10s
BENCHTIME  ?= 1s

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Start the example application and its local backend; SIGN_IN=browser signs in by Amplify JS
	@scripts/demo.sh $(if $(SIGN_IN),-sign-in=$(SIGN_IN))

.PHONY: test
test: ## Everything: all modules with -race, browsers and npm packages, fuzz targets
	scripts/test.sh $(FUZZTIME)

.PHONY: test-short
test-short: ## The tests that need nothing installed but Go
	go test -shuffle=on $(addsuffix /...,$(filter-out %/e2e,$(MODULES)))

.PHONY: interop
interop: ## The interop tests with other versions: Next.js 16, Amplify JS 6.0 and 5, amazon-cognito-identity-js
	@scripts/setup.sh interop
	go test -race -tags interop -run '^TestInterop' -timeout 20m ./e2e

.PHONY: setup
setup: ## Install what the full test run needs (chromium, npm packages)
	@scripts/setup.sh

.PHONY: lint
lint: ## Formatting and go vet
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	go vet -tags interop work

.PHONY: lint-extra
lint-extra: ## golangci-lint and govulncheck (fetched through the Go module proxy)
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run $(addsuffix /...,$(MODULES))
	go run golang.org/x/vuln/cmd/govulncheck@latest work

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (default 10s) each
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: mutants
mutants: ## Each defence of SECURITY.md taken away in turn: its tests must notice; ONLY=REGEXP selects
	@go run ./internal/mutants $(if $(ONLY),'$(ONLY)')

.PHONY: conformance
conformance: ## Recorded cases run, passed and excepted, a line per file
	@go test -count=1 -v -run '^TestConformance' ./... | grep -E ' run=[0-9]|FAIL'

.PHONY: bench
bench: ## Benchmarks of all modules
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) work

.PHONY: tidy
tidy: ## go mod tidy in every module
	@scripts/tidy.sh

.PHONY: release
release: ## Commit and tag a release of all modules, publish nothing; VERSION=v0.1.0
	@scripts/release.sh $(VERSION)
