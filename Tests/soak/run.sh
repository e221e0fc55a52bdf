#!/bin/sh
# The long runs (`make soak`): a million opens, 10,000 processes, 1,000 kills, CPython's own regression tests inside and outside.
# SOAK_PYTHON names a Python that has the `test` package; SANDBOX_BIN the directory of `sandbox` and `guest`.
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here" || exit 1
failed=0
SCALE_OPENS=1000000 SCALE_PROCESSES=10000 KILL_ROUNDS=1000 swift test --filter 'EndToEndTests.EndToEnd/(ScaleTests|KillTests)' || failed=1
python3 "$here/Tests/soak/regrtest.py" "${SANDBOX_BIN:-$here/.build/debug}/sandbox" || failed=1
exit $failed
