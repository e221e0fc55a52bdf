#!/bin/sh
# The long runs (`make soak`): a million opens, 10,000 processes, 1,000 kills, an hour of random system calls (FUZZ_SECONDS),
# each round other ones, CPython's own regression tests inside and outside.
# SOAK_PYTHON names a Python that has the `test` package; SANDBOX_BIN the directory of `sandbox` and `guest`.
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here" || exit 1
failed=0
SCALE_OPENS=1000000 SCALE_PROCESSES=10000 KILL_ROUNDS=1000 swift test --filter 'EndToEndTests.EndToEnd/(ScaleTests|KillTests)' || failed=1
end=$(($(date +%s) + ${FUZZ_SECONDS:-3600})) round=$(date +%s)
while [ "$(date +%s)" -lt $end ]; do
    round=$((round + 10))
    FUZZ_CALLS=400000 FUZZ_START=$round swift test --skip-build --filter 'EndToEndTests.EndToEnd/FuzzTests' || { echo "FUZZ_START=$round"; failed=1; break; }
done
python3 "$here/Tests/soak/regrtest.py" "${SANDBOX_BIN:-$here/.build/debug}/sandbox" || failed=1
exit $failed
