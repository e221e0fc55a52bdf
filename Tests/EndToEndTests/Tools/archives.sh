set -e
mkdir -p tree/a/b; for i in $(seq 50); do echo "file $i" > tree/a/b/f$i; done
ln -s a/b/f1 tree/link; ln tree/a/b/f2 tree/hard; mkfifo tree/fifo; chmod 640 tree/a/b/f3; touch -d 2020-01-01 tree/a/b/*; touch "tree/odd $(printf '\377') name"
tar -cf t.tar tree; tar -tf t.tar | wc -l; mkdir out; tar -C out -xpf t.tar; diff -r --no-dereference --exclude=fifo tree out/tree && echo same
ls -l out/tree/a/b/f3 | cut -c1-10; stat -c %h out/tree/hard; tar -czf t.tgz tree; tar -tzf t.tgz | sort | md5sum; cp -a tree copy; find copy | wc -l; rm -r copy; mv out moved; ls moved
