PREFIX ?= /usr/local
# What there are archives of is linked in: to find and bind four more libraries takes a millisecond of every start.
archives = .build/archives
release = --configuration release --static-swift-stdlib --product sandbox \
	-Xswiftc -L$(archives) -Xswiftc -Xclang-linker -Xswiftc -static-libgcc
binary = .build/release/sandbox

.PHONY: help run build test bench soak lint format install uninstall clean

help:
	@echo 'make run      build it, and watch an agent work under it'
	@echo 'make test     everything that must hold'
	@echo 'make build    the program alone: $(binary)'
	@echo 'make install  PREFIX=$(PREFIX), DESTDIR honoured; `make uninstall` takes it away again'
	@echo 'make bench    what supervision costs on this machine'
	@echo 'make soak     the long tests; make lint, make format, make clean'

$(archives):
	@mkdir -p $@
	@for name in libstdc++.a libsqlite3.a libyaml.a; do ln -sf "$$(gcc -print-file-name=$$name)" $@/; done

run: $(archives)
	@.ci/packages run
	@swift build $(release)
	@docs/demo.sh $(binary)

build: $(archives)
	@.ci/packages build
	swift build $(release)

test:
	@.ci/packages test
	.ci/test

bench: $(archives)
	@.ci/packages bench
	@swift build $(release)
	@.ci/bench $(binary)

soak:
	@.ci/packages soak
	swift build
	@set -e; for script in Tests/soak/*.sh; do [ ! -e "$$script" ] || { echo "$$script"; bash "$$script"; }; done

lint:
	@.ci/lint

format:
	swift format format --in-place --recursive Package.swift Sources Tests

# Not a prerequisite of `build`: `sudo make install` should not build as root.
install:
	@test -x $(binary) || { echo 'run `make build` first' >&2; exit 1; }
	install -D -m 755 -s $(binary) $(DESTDIR)$(PREFIX)/bin/sandbox
	install -d $(DESTDIR)$(PREFIX)/share/sandbox/policies
	install -m 644 Policies/*.yaml $(DESTDIR)$(PREFIX)/share/sandbox/policies
	install -d $(DESTDIR)$(PREFIX)/share/sandbox/policies/intents
	install -m 644 Policies/intents/*.yaml $(DESTDIR)$(PREFIX)/share/sandbox/policies/intents

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/sandbox
	rm -rf $(DESTDIR)$(PREFIX)/share/sandbox

clean:
	rm -rf .build
