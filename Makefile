PYTHON ?= python3.11

BIN := .venv/bin
INSTALLED := .venv/.installed
STUBS := .gen/.made
CLIENT_STUBS := .gen-ts/.made
# Their tests are skipped where the languages are not installed.
HAVE_CLIENTS := $(if $(and $(shell command -v go),$(shell command -v npm)),$(CLIENT_STUBS))

PROTOC_GEN_GO := v1.36.12
PROTOC_GEN_GO_GRPC := v1.6.2
PROTOC_GEN_ES := 2.17.0
GRPC_GO := v1.85.0
GO_PLUGIN := .tools/protoc-gen-go-$(PROTOC_GEN_GO)/protoc-gen-go
GO_GRPC_PLUGIN := .tools/protoc-gen-go-grpc-$(PROTOC_GEN_GO_GRPC)/protoc-gen-go-grpc
ES_PLUGIN := .tools/protoc-gen-es-$(PROTOC_GEN_ES)/node_modules/.bin/protoc-gen-es

# Folders too: theirs is the time that changes when a contract is renamed or deleted.
PROTOS := $(shell find protos/cadastre -type d -o -name '*.proto')

# Workers and services start again and again: what was compiled once is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run check test ready compiled bench faults protos stubs dashboards lint lint-protos types fmt lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s%s\n", $$1, $$2 }' Makefile

# The recipe's shell is replaced, so a signal that stops make reaches Python itself.
run: $(STUBS) ## Start all services on this machine, until interrupted
	@exec $(BIN)/python -m services.local

check: $(STUBS) ## Audit the ledger of a running system; REPAIR=1 repairs what has one right answer, JSON=1 for machines
	@$(BIN)/python -m services.local.check $(if $(REPAIR),--repair) $(if $(ACCEPT_LOSS),--accept-loss) $(if $(JSON),--json)

# A worker that dies fails the run at once: one that replaces it may wait for ever (pytest-xdist #1378).
test: $(STUBS) ## Lint, then run every test, as CI does; T='tests/x.py -k y' runs only those
	$(if $(T),,@$(MAKE) --no-print-directory --jobs=3 --output-sync=target ready)
	$(BIN)/pytest $(or $(T),-n 3 --dist loadscope --no-loadscope-reorder --max-worker-restart 0)

# All that comes before the tests, side by side: checking types takes longest and one processor.
ready: lint $(HAVE_CLIENTS) compiled

# Each worker collects all tests, and would compile all of them while the others do.
compiled: $(STUBS)
	@$(BIN)/pytest --collect-only --quiet --quiet >/dev/null || true

bench: $(STUBS) ## Run the benchmarks and print their figures
	@exec $(BIN)/python -m tests.bench

faults: $(STUBS) ## Kill services and their database under load for 5 minutes; ARGS='--help' tells the options
	@exec $(BIN)/python -m tests.faults $(ARGS)

lint: $(STUBS) lint-protos ## Check contracts, format, style, imports and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

types: $(STUBS) ## Check types
	$(BIN)/mypy

# Reads the base through git archive: buf's own git input would clone the repository first.
lint-protos: $(INSTALLED)
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/buf lint protos
	@base=$$(git merge-base HEAD origin/main 2>/dev/null); \
	if [ -z "$$base" ] || [ "$$base" = "$$(git rev-parse HEAD)" ]; then \
		base=$$(git rev-parse --quiet --verify HEAD~1 2>/dev/null); \
	fi; \
	if [ -z "$$base" ] || ! git cat-file -e "$$base:protos" 2>/dev/null; then \
		echo "buf breaking: skipped, there are no earlier contracts to compare with"; \
		exit; \
	fi; \
	earlier=$$(mktemp -d); \
	trap 'rm -rf "$$earlier"' EXIT; \
	git archive "$$base" protos | tar -x -C "$$earlier" && \
	echo "$(BIN)/buf breaking protos --against $$base" && \
	$(BIN)/buf breaking protos --against "$$earlier/protos"

fmt: $(INSTALLED) ## Format the code and apply ruff's safe corrections
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/buf format --write protos

protos: $(STUBS) ## Make the Python stubs, in .gen

stubs: $(CLIENT_STUBS) ## Make Go and TypeScript stubs, in .gen-go and .gen-ts; needs go and npm

dashboards: $(INSTALLED) ## Write Grafana's dashboards anew from the code that makes them
	$(BIN)/python -m deploy.grafana.dashboards

lock: $(INSTALLED) ## Pin what pyproject.toml names, in .requirements; UPGRADE=1 takes the newest versions
	$(LOCK) --group dev --output-file .requirements/dev.txt
	$(LOCK) --constraints .requirements/dev.txt --output-file .requirements/runtime.txt

clean: ## Delete all that was installed or generated; data/ stays
	rm -rf .venv .gen .gen-go .gen-ts .tools .*_cache .hypothesis

PIP_INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement

LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate $(if $(UPGRADE),--upgrade)

# uv takes a sixth of pip's time; where it can't reach the packages that pip is told of, pip does it.
# The .pth line puts the repository and the stubs on the import path, from whatever folder.
$(INSTALLED): .requirements/dev.txt
	@echo "Installing what the project needs"
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' $< | $(PIP_INSTALL) /dev/stdin
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement $< || \
		$(PIP_INSTALL) $<
	@printf '../../../..\n../../../../.gen\n' > $$(echo .venv/lib/python*/site-packages)/cadastre.pth
	@touch $@

# Made aside and then moved, so that an interrupted run leaves no half of them.
$(STUBS): $(INSTALLED) $(PROTOS)
	@rm -rf .gen.new && mkdir .gen.new
	@echo "Making the Python stubs"
	@PATH="$(CURDIR)/$(BIN):$$PATH" python -m grpc_tools.protoc --proto_path=protos \
		--python_out=.gen.new --grpc_python_out=.gen.new \
		--mypy_out=quiet:.gen.new --mypy_grpc_out=quiet:.gen.new $(filter %.proto,$^)
	@rm -rf .gen && mv .gen.new .gen && touch $@

$(CLIENT_STUBS): $(INSTALLED) $(PROTOS) $(GO_PLUGIN) $(GO_GRPC_PLUGIN) $(ES_PLUGIN)
	@rm -rf .gen-go .gen-ts
	@echo "Making the Go and TypeScript stubs"
	@$(BIN)/buf generate protos --template "$$BUF_TEMPLATE"
	@echo "$$GO_MODULE" > .gen-go/go.mod
	@echo "$$NPM_PACKAGE" > .gen-ts/package.json
	@touch $@

$(GO_PLUGIN):
	GOBIN="$(CURDIR)/$(@D)" go install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO)

$(GO_GRPC_PLUGIN):
	GOBIN="$(CURDIR)/$(@D)" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC)

$(ES_PLUGIN):
	npm install --silent --no-save --prefix .tools/protoc-gen-es-$(PROTOC_GEN_ES) @bufbuild/protoc-gen-es@$(PROTOC_GEN_ES)

define BUF_TEMPLATE
version: v2
managed:
  enabled: true
  override:
    - file_option: go_package_prefix
      value: cadastre/stubs
plugins:
  - local: $(GO_PLUGIN)
    out: .gen-go
    opt: paths=source_relative
  - local: $(GO_GRPC_PLUGIN)
    out: .gen-go
    opt: paths=source_relative
  - local: $(ES_PLUGIN)
    out: .gen-ts
    opt:
      - target=ts
      - import_extension=js
endef
export BUF_TEMPLATE

define GO_MODULE
module cadastre/stubs

go 1.26.0

require (
	google.golang.org/grpc $(GRPC_GO)
	google.golang.org/protobuf $(PROTOC_GEN_GO)
)
endef
export GO_MODULE

define NPM_PACKAGE
{
  "name": "@cadastre/stubs",
  "type": "module",
  "private": true,
  "peerDependencies": { "@bufbuild/protobuf": "^$(PROTOC_GEN_ES)" }
}
endef
export NPM_PACKAGE
