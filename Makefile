PREFIX ?= /usr/local
# What there are archives of is linked in: to find and bind four more libraries takes a millisecond of every start.
archives = .build/archives
release = --configuration release --static-swift-stdlib \
	-Xswiftc -L$(archives) -Xswiftc -Xclang-linker -Xswiftc -static-libgcc --product
binary = .build/release/sandbox
checker = .build/release/sandbox-identity

.PHONY: help run build test bench soak lint format install uninstall clean

help:
	@echo 'make run      build it, and watch an agent work under it'
	@echo 'make test     everything that must hold'
	@echo 'make build    the programs alone: $(binary), $(checker)'
	@echo 'make install  PREFIX=$(PREFIX), DESTDIR honoured; `make uninstall` takes it away again'
	@echo 'make bench    what supervision costs on this machine'
	@echo 'make soak     the long tests; make lint, make format, make clean'

# Once the packages are there: on a bare machine there is nothing to link to before.
define find_archives
@mkdir -p $(archives)
@for name in libstdc++.a libsqlite3.a libyaml.a; do ln -sf "$$(gcc -print-file-name=$$name)" $(archives)/; done
endef

run:
	@.ci/packages run
	$(find_archives)
	@swift build $(release) sandbox
	@docs/demo.sh $(binary)

build:
	@.ci/packages build
	$(find_archives)
	swift build $(release) sandbox
	swift build $(release) sandbox-identity

test:
	@.ci/packages test
	.ci/test

bench:
	@.ci/packages bench
	$(find_archives)
	@swift build $(release) sandbox
	@.ci/bench $(binary)

soak:
	@.ci/packages run
	@.ci/packages soak
	swift build
	@set -e; for script in Tests/soak/*.sh; do [ ! -e "$$script" ] || { echo "$$script"; bash "$$script"; }; done

lint:
	@.ci/lint

format:
	swift format format --in-place --recursive Package.swift Sources Tests

# Not a prerequisite of `build`: `sudo make install` should not build as root.
install:
	@test -x $(binary) -a -x $(checker) || { echo 'run `make build` first' >&2; exit 1; }
	install -D -m 755 -s $(binary) $(DESTDIR)$(PREFIX)/bin/sandbox
	install -D -m 755 -s $(checker) $(DESTDIR)$(PREFIX)/libexec/sandbox/sandbox-identity
	install -d $(DESTDIR)$(PREFIX)/share/sandbox/policies
	install -m 644 Policies/*.yaml $(DESTDIR)$(PREFIX)/share/sandbox/policies
	install -d $(DESTDIR)$(PREFIX)/share/sandbox/policies/intents
	install -m 644 Policies/intents/*.yaml $(DESTDIR)$(PREFIX)/share/sandbox/policies/intents

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/sandbox
	rm -rf $(DESTDIR)$(PREFIX)/share/sandbox $(DESTDIR)$(PREFIX)/libexec/sandbox

clean:
	rm -rf .build
