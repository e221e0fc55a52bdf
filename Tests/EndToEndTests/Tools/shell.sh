# The odd corners of a shell: here documents, process substitution, traps, redirections, jobs, coprocesses.
bash -c '
cat <(echo one) <(echo two); cat <<< three; echo four | { read x; echo $x; }; (exit 7); echo $?
trap "echo trapped" USR1; kill -USR1 $$; sleep 0 & wait $!; echo $?; exec 5> f; echo five >&5; exec 5>&-; cat f; : > f; test -s f; echo $?
coproc cat; echo six >&${COPROC[1]}; read y <&${COPROC[0]}; echo $y; exec {COPROC[1]}>&-; set -C; echo x > f 2>/dev/null; echo $?; mkfifo p; echo seven > p & cat p
umask 027; touch m; stat -c %a m; cd /; cd "$OLDPWD"; echo *; kill -TERM $$'; echo $?
# Programs that are built with a sanitizer look for their options here.
MARK=nine cat /proc/self/environ | tr "\0" "\n" | grep MARK
