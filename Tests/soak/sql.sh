#!/bin/sh
# Half a million statements, each round other ones, against PostgreSQL's own grammar (Tests/SandboxIntentTests/SQLDifferentialTests.swift).
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here" || exit 1
seed=$(date +%s)
SQL_ROUNDS=${SQL_ROUNDS:-65000} SQL_SEED=$seed swift test --filter 'SandboxIntentTests.SQLDifferentialTests/generated' || { echo "SQL_SEED=$seed"; exit 1; }
