set -e
mkdir -p d; for i in $(seq 60); do echo "$i" > d/$i.txt; done
find d -name '*.txt' -exec cat {} \; | sort -n | tail -2; find d -name '1*' -exec wc -c {} + | tail -1
find d -type f -print0 | xargs -0 -P4 -n5 sh -c 'for f; do sed -i s/^/x/ "$f"; done' sh; cat d/*.txt | sort | md5sum
seq 40 | xargs -P4 -I{} sh -c 'echo {} > d/made-{}'; ls d/made-* | wc -l; find d -name 'made-*' -delete; ls d | wc -l; grep -rl x5 d | sort | head -3
