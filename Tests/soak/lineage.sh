#!/bin/bash
# Ten million recorded accesses: under 100 bytes each in the data base, and what a question to the graph takes. The first sessions
# come through the journal, and are then repeated. SANDBOX: a program to be measured; what is built for tests is several times slower.
set -euo pipefail
state=$(mktemp -d /var/tmp/sandbox-soak.XXXXXX)
trap 'rm -rf "$state"' EXIT
SANDBOX_SOAK=300000 SANDBOX_SOAK_STATE=$state/state swift test --filter LineageSoakTests
[ -n "${SANDBOX:-}" ] || { make build; SANDBOX=.build/release/sandbox; }
python3 Tests/soak/lineage.py "$state/state" "$SANDBOX" "${SANDBOX_SOAK:-10000000}"
