# Gives clients SQL in every way there is: $1 is sqlite3, psql or mysql, $C the client with where it connects, $SQL what is to be
# done to `@`. Prints of each way whether its table is still there, and what came out.
export C SQL f talk
i=0
ask() { case $1 in sqlite3) $C "$2" ;; psql) $C -c "$2" ;; mysql) $C -e "$2" ;; esac; }
client=$1; tables=$(seq 1 20 | sed 's/.*/create table t& (a int);/'); ask "$client" "$tables"
way() {
    i=$((i + 1)); f=s$i.sql; printf '%s\n' "select 'ran $i';" "${SQL//@/t$i}" > "$f"
    out=$(bash -c "$1" 2> err | grep -v '^$'); code=$?
    echo "$i here=$(ask "$client" "select count(*) from t$i" > count 2> /dev/null && echo yes || echo no)" $(cat count) "out=$(echo $out)"
}
# One question, its answer, and then the rest.
talk='
import os, subprocess, sys
client = subprocess.Popen(os.environ["C"].split() + sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
client.stdin.write("select 8;\n")
client.stdin.flush()
print(client.stdout.readline().strip(), flush=True)
try: print(client.communicate(open(sys.argv[1]).read())[0])
except BrokenPipeError: pass
'
way '$C < $f'
way 'cat $f | $C'
way '$C <<< "$(cat $f)"'
way $'$C <<EOF\n$(cat $f)\nEOF'
way '$C < <(cat $f)'
way 'mkfifo p; cat $f > p & $C < p; wait'
way '(exec < $f; exec $C)'
way 'python3 -c "import os, subprocess, sys; subprocess.run(os.environ[\"C\"].split(), input=open(sys.argv[1], \"rb\").read())" $f'
case $client in
sqlite3)
    way '$C ".read $f"'; way 'echo ".read $f" | $C'; way '$C ".read /dev/stdin" < $f'; way '$C ".read /dev/stdin" < <(cat $f)'
    way 'echo ".read $f" > a.sql; $C ".read a.sql"'; way 'sqlite3 -init $f ${C#sqlite3} .quit'; way 'python3 -c "$talk" $f' ;;
psql)
    way '$C -f $f'; way '$C -f - < $f'; way '$C -f /dev/stdin < $f'; way '$C -f <(cat $f)'; way '$C -c "\i $f"'
    way 'mkdir d; cp $f d/x.sql; echo "\ir x.sql" > d/y.sql; $C -f d/y.sql'; way 'printf "\\\\cd d\n\\\\i ../%s\n" $f | $C'
    way 'printf "\\\\! cat %s > g.sql\n\\\\i g.sql\n" $f > h.sql; $C -f h.sql'; way 'printf "\\\\set n %s\n\\\\i :n\n" $f | $C'
    way 'cp $f ~/.psqlrc; ${C/-X/} -c "select 5"; rm ~/.psqlrc'; way 'python3 -c "$talk" $f' ;;
mysql)
    way '$C -e "source $f"'; way 'echo "\. $f" | $C'; way 'echo "source $f" > a.sql; $C -e "source a.sql"'
    way 'printf "delimiter //\n%s//" "$(cat $f)" | $C'; way '$C -e "source /dev/stdin" < $f'; way 'python3 -c "$talk" $f -n' ;;
esac
