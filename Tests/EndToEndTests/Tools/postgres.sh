# A database server started, used and stopped, wholly inside. Not as root.
set -e
B=$(ls -d /usr/lib/postgresql/*/bin | tail -1); D=$PWD/pg; S=$PWD/s; mkdir -p $S
$B/initdb -D $D -A trust -U tester --no-sync > /dev/null
$B/pg_ctl -D $D -s -w -l log -o "-k $S -c listen_addresses=127.0.0.1 -p 54329 -c fsync=off" start
trap "$B/pg_ctl -D $D -s -m immediate stop 2>/dev/null" EXIT
Q="psql -h $S -p 54329 -U tester -At"
$Q -d postgres -c 'create database t'; $Q -d t -c 'create table x as select generate_series(1,1000) i; select sum(i) from x'
psql -h 127.0.0.1 -p 54329 -U tester -d t -Atc 'select count(*) from x'
pgbench -h $S -p 54329 -U tester -i -q t > /dev/null 2>&1; pgbench -h $S -p 54329 -U tester -c 4 -j 2 -t 50 t 2>/dev/null | grep 'actually processed'
$Q -d t -c 'copy x to stdout' | wc -l; $B/pg_ctl -D $D -s -m fast stop; trap - EXIT; tail -1 log | grep -o 'shut down'
