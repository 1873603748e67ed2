# `make demo` and `make test` do all the set-up themselves.

SWIFT ?= swift
BINARY = .build/release/cleannet

.PHONY: setup build demo test package-test cluster-test torture fuzz sanitize licences dist wheel deb parity lint format bench clean help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian packages, pretrained weights)
	@Scripts/setup

build: setup ## build the release binary
	$(SWIFT) build -c release --product CleanNetEngine
	$(SWIFT) build -c release --product cleannet

demo: build ## find the wrong labels of 12,000 real images, explained step by step
	$(BINARY) demo

test: ## build and run all tests
	@Scripts/setup --tests
	$(SWIFT) test

package-test: setup ## build and run packages that depend on this one, from its folder and from a tag
	Scripts/check-package

cluster-test: build ## run cleannet.spark on a Spark cluster on this machine; IMAGES=400 is short
	Scripts/cluster-test $(BINARY) $(IMAGES)

torture: build ## kill the program at chosen moments in every stage; KILLS=n points of each kind
	Scripts/torture $(BINARY) --kills $(or $(KILLS),100)

fuzz: setup ## feed broken bytes to every parser of bytes from outside; SECONDS=n for each target (600)
	Scripts/fuzz --seconds $(or $(SECONDS),600) $(TARGETS)

sanitize: setup ## run the tests with the address sanitizer, then with the thread sanitizer
	$(SWIFT) test --sanitize=address --scratch-path .build/address
	$(SWIFT) test --sanitize=thread --scratch-path .build/thread

licences: ## list dependencies with versions and licences
	@Scripts/licences

dist: setup ## build a tarball that runs without Swift
	@Scripts/dist

wheel: setup ## build the Python wheel
	@Scripts/wheel

deb: setup ## build the package for Debian 12
	@Scripts/deb

parity: setup ## compare detectors and metrics with scikit-learn and cleanlab
	$(SWIFT) build -c release --product CleanNetEngine
	CLEANNET_ENGINE=$(CURDIR)/.build/release/libCleanNetEngine.so Scripts/parity

lint: ## check the format of the sources, the English of documents, messages and comments, and who imports whom
	Scripts/check-english
	Scripts/check-house
	Scripts/check-snippets
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks/Sources examples/swift

format: ## format the sources
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks/Sources examples/swift

bench: build ## run the benchmarks; DATA=folder adds those on real data
	Scripts/bench $(DATA)

clean: ## remove what was built
	rm -rf .build
