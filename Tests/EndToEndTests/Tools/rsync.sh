set -e
mkdir -p from/x/y; for i in $(seq 50); do echo "$i" > from/x/y/$i; done; ln -s x from/l
rsync -a from/ to/; diff -r from to && echo same; echo more >> from/x/y/1; rm from/x/y/2; rsync -a --checksum --delete --out-format='%o %n' from/ to/ | grep -v '/$' | sort; ls to/x/y | wc -l; find to -name '.*' | wc -l
