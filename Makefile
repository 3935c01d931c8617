# Secondstep: every command of the house. `make` alone lists them.
# On a machine with Go, Node and make, each of them works as the first one typed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

export CGO_ENABLED := 0
# Everywhere, so that the build, the tests and the linter share what they compile.
export GOFLAGS := $(GOFLAGS) -trimpath

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)

# What `make check`, `make test` install into .cache/bin, once per version.
GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.9.0
GOTESTSUM_VERSION     := v1.13.0

GOLANGCI_LINT := .cache/bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK   := .cache/bin/govulncheck-$(GOVULNCHECK_VERSION)
GOTESTSUM     := .cache/bin/gotestsum-$(GOTESTSUM_VERSION)

# Files whose change makes the next step run again.
GO_FILES       := main.go embed.go go.mod go.sum $(shell find server -type f 2>/dev/null)
FRONTEND_FILES := package.json vite.config.ts $(shell find frontend -type f \
	-not -path 'frontend/dist/*' -not -path 'frontend/.svelte-check/*' -not -path 'frontend/src/api/generated/*' \
	-not -path 'frontend/src/paraglide/*' -not -path 'frontend/tests/*' 2>/dev/null) \
	$(wildcard server/help/articles/*/*.md)
GENERATED := frontend/src/api/generated

##@ Use it
.PHONY: run build
run: build ## build everything and start the server (ARGS="--listen 127.0.0.1:9000" passes flags)
	bin/secondstep serve $(ARGS)

build: bin/secondstep ## build bin/secondstep: one static file, front end included

##@ Change it
.PHONY: dev check test bench screenshots
dev: build ## edit with hot reload: Vite in front of the Go server, which restarts when its files change
	.ci/dev

check: check-go check-frontend ## formatting, vet, linters, types, known vulnerabilities

test: $(GOTESTSUM) ## everything: check, Go tests on both databases, vitest, build, browser
	.ci/tools chromium-headless-shell postgresql oathtool sqlite3 zbar-tools
	GOTESTSUM=$(GOTESTSUM) .ci/test

bench: build ## what it costs, in one table, kept in docs/benchmarks.md (BENCH=regexp picks rows)
	.ci/tools postgresql
	.ci/bench

screenshots: build ## take the pictures of docs/screenshots again
	.ci/tools chromium-headless-shell oathtool sqlite3 pngquant
	SECONDSTEP_SCREENSHOTS=1 npx playwright test --config frontend/playwright.config.ts --project screenshots

##@ Else
.PHONY: clean help
clean: ## remove everything that was built or downloaded into this folder (never data/)
	rm -rf bin .cache node_modules $(GENERATED) frontend/src/paraglide frontend/.svelte-check test-results playwright-report
	find frontend/dist -mindepth 1 -not -name .gitkeep -delete

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# ── What is built from what ──────────────────────────────────────────────────

# `npm ci` runs when the lock changed. npm empties the folder first, so the mark goes with it.
node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund
	touch $@

# The server describes its own API. The document is replaced only when it differs,
# so that a change of Go code that leaves the API alone costs no front-end build.
.cache/openapi.made: $(GO_FILES)
	@mkdir -p .cache $(GENERATED)
	go run . openapi > .cache/openapi.json
	cmp -s .cache/openapi.json $(GENERATED)/openapi.json || cp .cache/openapi.json $(GENERATED)/openapi.json
	touch $@

$(GENERATED)/openapi.json: .cache/openapi.made
	@test -f $@ || { mkdir -p $(GENERATED) && cp .cache/openapi.json $@; }

$(GENERATED)/.made: $(GENERATED)/openapi.json node_modules/.installed
	npm run generate
	touch $@

# Vite writes index.html anew on every build.
frontend/dist/index.html: $(GENERATED)/.made $(FRONTEND_FILES)
	npm run build

# The same program with a front end that speaks the tests' pseudo-locales beside English: the browser tests walk it.
.PHONY: pseudo
pseudo: .cache/pseudo/secondstep ## build .cache/pseudo/secondstep, which speaks made-up languages, for looking at
.cache/pseudo/secondstep: frontend/dist/index.html $(GO_FILES) .ci/pseudo
	.ci/pseudo

# Nothing of these is inlined: the program is 2 MB smaller, and a session check takes 0.1 µs more. What counts and hashes
# is Go's own and SQLite; what every request goes through is left as it is.
SMALL := github.com/... google.golang.org/... golang.org/x/text/... gopkg.in/... maragu.dev/...
AS_EVER := github.com/valyala/... github.com/gofiber/...
export BUILDFLAGS := $(SMALL:%=-gcflags=%=-l) $(AS_EVER:%=-gcflags=%=)

# Go knows best what to compile again.
.PHONY: bin/secondstep
bin/secondstep: frontend/dist/index.html
	go build $(BUILDFLAGS) -ldflags '-s -w -X main.version=$(VERSION)' -o $@ .

# ── What is checked ──────────────────────────────────────────────────────────

.PHONY: check-go check-frontend
check-go: $(GOLANGCI_LINT) $(GOVULNCHECK)
	@unformatted=$$(gofmt -l main.go embed.go server); \
		[ -z "$$unformatted" ] || { printf 'run gofmt -w on:\n%s\n' "$$unformatted"; exit 1; }
	go vet ./...
	$(GOLANGCI_LINT) run
	.ci/vulnerabilities $(GOVULNCHECK)

check-frontend: $(GENERATED)/.made
	npm run check
	npm run lint

define install_tool
	@mkdir -p .cache/bin
	GOBIN=$(CURDIR)/.cache/bin go install $(1)
	mv .cache/bin/$(notdir $(firstword $(subst @, ,$(1)))) $@
endef
$(GOLANGCI_LINT):
	@echo "Compiling the linter: minutes the first time, then never again for this version."
	$(call install_tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))
$(GOVULNCHECK):
	$(call install_tool,golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION))
$(GOTESTSUM):
	$(call install_tool,gotest.tools/gotestsum@$(GOTESTSUM_VERSION))
