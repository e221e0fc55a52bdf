#!/bin/bash
# Ten million recorded accesses: under 100 bytes each in the data base, and what a question to the graph takes.
set -euo pipefail
SANDBOX_SOAK=${SANDBOX_SOAK:-10000000} swift test --filter LineageSoakTests
