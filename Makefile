# SPDX-License-Identifier: MIT
# The front door of doze. `make help` lists the targets; CMakePresets.json has the builds.
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30
ARGS ?=
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)
export DOZE_LLAMA_DIR

.DEFAULT_GOAL := build
.PHONY: help dist deb test-deb release setup setup-test setup-deb build run test test-clients \
    bench schemas check fuzz format install uninstall clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo '  Variables: ARGS="--port 1300" (run), PREFIX=/usr/local and DESTDIR= (install),'
	@echo '  DOZE_LLAMA_DIR=/path (your own llama.cpp build instead of the pinned one),'
	@echo '  YES=1 (install Debian packages without asking).'

setup: ## fetch what is missing: Debian packages (asks first), llhttp, yyjson, the engine
	@sh setup/all.sh $(if $(YES),-y)

setup-test:
	@sh setup/all.sh $(if $(YES),-y) test

setup-deb: setup
	@sh setup/system-packages.sh $(if $(YES),-y) package

build: setup ## build/doze and build/doze-engine (the default)
	@sh setup/compile.sh release doze doze-engine make-model

run: build ## build, bring a small model if you have none, and serve on port 1234
	@sh setup/first-model.sh $(ARGS)
	@exec build/doze serve $(ARGS)

test: setup-test ## every test, again under ASan and UBSan, those with threads under TSan
	@sh setup/compile.sh release
	@sh setup/compile.sh sanitize
	@sh setup/compile.sh tsan threads
	@sh tests/run.sh release
	@sh tests/run.sh sanitize
	@sh tests/run.sh tsan

test-clients: setup-test ## clients and agents, also the heavy ones (tests/clients/README.md)
	@sh setup/compile.sh release
	@sh tests/clients/all.sh

bench: setup-test ## measure into docs/benchmarks (docs/benchmarks/README.md: PEER, ROWS, RUNS)
	@sh setup/compile.sh release
	@sh tests/bench/run.sh

schemas: setup-test ## the JSON-Schema test suite into docs/benchmarks (docs/benchmarks/README.md)
	@sh setup/compile.sh release
	@[ -d tests/e2e/node_modules/ajv ] || (cd tests/e2e && npm ci --no-audit --no-fund --silent)
	@node tests/bench/schemas.js

check: setup-test ## format, layers, sizes, static analysis, a short fuzz run
	@sh setup/compile.sh release doze doze-engine make-model
	@sh tools/check/all.sh

fuzz: setup-test ## every fuzz target for FUZZ_SECONDS each
	@sh setup/compile.sh fuzz fuzzers
	@sh tools/check/fuzz.sh $(FUZZ_SECONDS)

dist: build ## build/doze-VERSION.tar.gz, with the built page
	@sh setup/dist.sh

deb: setup-deb build ## build/doze_VERSION_ARCH.deb, for Debian 12 and newer
	@sh setup/deb.sh

test-deb: deb ## lintian, the units, and the package in a small Debian (as root)
	@sh packaging/test.sh

release: build ## tarball, package and checksums of HEAD, built twice with the same bytes
	@sh setup/release.sh

format: ## let clang-format rewrite the sources
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

install: ## into PREFIX, what `make` has built (builds nothing itself: sudo would own the files)
	@[ -e build/doze ] && [ -e build/doze-engine ] || { echo 'Run `make` first.' >&2; exit 1; }
	@DESTDIR='$(DESTDIR)' cmake --install build/release/obj --prefix '$(PREFIX)'

uninstall: ## remove what `make install` with the same PREFIX put there
	@sh setup/uninstall.sh '$(DESTDIR)' '$(PREFIX)'

clean: ## remove what was compiled, keep what was fetched
	@for d in build/*; do [ "$$d" = build/deps ] || rm -rf "$$d"; done

distclean: ## remove everything that git does not track
	@rm -rf build web/dist web/node_modules tests/*/node_modules
