#!/bin/sh
# The workloads. `workloads.sh prepare NAME` makes what NAME needs afresh and is not timed; `workloads.sh NAME` is.
# Each one checks its own result, ends non-zero where it is wrong, and says `complete` at its end: a wrapper that breaks a program
# must not look fast.
# The runner gives a current directory, BENCH_INPUTS (made once, only read), BENCH_RETIRED (removed at the end), BENCH_PYTHON,
# BENCH_SECONDS, and where the servers are.
set -eu

# What the last run left is moved away, not removed: ext4 without a journal does not use an inode again for some minutes after
# its file was removed, and goes over all of those for every new file, so that each run would be slower than the last.
retire() { if [ -e "$1" ]; then mv "$1" "$BENCH_RETIRED/$1.$$"; fi; }

case "$*" in
# A C build: many short programs, many opens for reading, some new files.
"prepare w1") retire w1; cp -a "$BENCH_INPUTS/c" w1 ;;
w1)
    cd w1/src
    make -s -j2 linux > ../log 2>&1
    [ "$(./lua -e 'print(6 * 7)')" = 42 ]
    ;;

# Programs that do nothing, one after the other.
w2)
    i=0
    while [ $i -lt 2000 ]; do /bin/true; i=$((i + 1)); done
    ;;

# git: writes a tree, then looks at all of it, at its history, and into its files.
"prepare w3") retire w3; mkdir w3 ;;
w3)
    cd w3
    git clone -q --no-hardlinks "$BENCH_INPUTS/repository.git" clone
    cd clone
    for i in 1 2 3; do [ -z "$(git status --porcelain)" ]; done
    [ "$(git log --oneline | wc -l)" = 150 ]
    [ "$(git log -p | grep -c '^diff ')" -gt 5000 ]
    [ "$(git grep -l 'word7 ' | wc -l)" -gt 100 ]
    [ "$(git grep -l 'word7 ' HEAD~100 | wc -l)" -gt 100 ]
    ;;

# A tree of 24,000 files is listed, and searched to the end, three times.
w4)
    cd "$BENCH_INPUTS/tree"
    for i in 1 2 3; do
        [ "$(find . -type f | wc -l)" = 24000 ]
        [ "$(grep -r -l needle . | wc -l)" = 24 ]
    done
    ;;

# Tests in Python: collecting, importing, temporary folders, small files.
"prepare w5-tests") retire w5; cp -a "$BENCH_INPUTS/python" w5 ;;
w5-tests)
    cd w5
    "$BENCH_PYTHON" -B -m pytest -q -p no:cacheprovider --basetemp=temporary tests > log 2>&1
    grep -q '^1200 passed' log
    ;;

# Interpreters that live for a moment and import much.
w5-imports)
    i=0
    while [ $i -lt 20 ]; do
        [ "$("$BENCH_PYTHON" -B -c 'import argparse, asyncio, concurrent.futures, csv, decimal, difflib, email.mime.text, http.client, \
json, logging.config, multiprocessing, sqlite3, sys, tarfile, unittest.mock, urllib.request, xml.dom.minidom, zipfile
print(len(sys.modules) > 150)')" = True ]
        i=$((i + 1))
    done
    ;;

# 6,000 requests to a server on this machine, each on a connection of its own.
w6)
    "$BENCH_PYTHON" -B -c 'import http.client, sys
for i in range(6000):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    connection.request("GET", "/%d" % i)
    answer = connection.getresponse()
    if answer.status != 200 or len(answer.read()) != 1024: sys.exit("request %d" % i)
    connection.close()' "$BENCH_HTTP"
    ;;

# As many requests as go over connections that stay open.
w6k)
    wrk -t1 -c8 -d"${BENCH_SECONDS}s" "http://127.0.0.1:$BENCH_HTTP/" > w6k.log
    if grep 'Non-2xx\|Socket errors' w6k.log >&2; then exit 1; fi
    awk '$1 == "Requests/sec:" && $2 > 0 { print "result requests", $2, "/s"; found = 1 } END { exit !found }' w6k.log
    ;;

# Four GiB: through pipes, out of a file, into another. That one is there already and is written over: what new pages cost
# differs from run to run, on a virtual machine by more than all else here.
"prepare w7")
    mkdir -p w7
    cp "$BENCH_INPUTS/data" w7/copy
    sync w7/copy
    ;;
w7)
    [ "$(dd if=/dev/zero bs=64k count=32768 status=none | cat | wc -c)" = 2147483648 ]
    dd if="$BENCH_INPUTS/data" of=w7/copy bs=128k conv=notrunc status=none
    cmp "$BENCH_INPUTS/data" w7/copy
    [ "$(dd if=w7/copy bs=4k status=none | wc -c)" = 536870912 ]
    ;;

# The client of a database; the server is outside.
w8)
    "$BENCH_POSTGRES/pgbench" -S -c 4 -j 1 -T "$BENCH_SECONDS" -n -h 127.0.0.1 -p "$BENCH_SQL" -U postgres bench > w8.log 2>&1
    awk '$1 == "tps" && $3 > 0 { print "result transactions", $3, "/s"; found = 1 } END { exit !found }' w8.log
    ;;

"prepare "*) ;;
*)
    echo "workloads.sh: no workload $*" >&2
    exit 2
    ;;
esac
[ "$1" = prepare ] || echo complete
