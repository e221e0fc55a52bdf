# A C project of 200 files, built four at a time, twice, and cleaned.
set -e
mkdir -p src; cd src
for i in $(seq 200); do echo "int f$i(int x) { return x + $i; }" > f$i.c; done
{ for i in $(seq 200); do echo "int f$i(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { int s = 0;'; for i in $(seq 200); do echo "s += f$i(1);"; done; echo 'puts(s == 20300 ? "right" : "wrong"); return 0; }'; } > main.c
cat > Makefile <<'M'
objects := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(objects)
	@$(CC) -o $@ $(objects)
%.o: %.c
	@$(CC) -c -O0 -o $@ $<
clean:
	@rm -f program $(objects)
M
make -j4; ./program; make -j4; ls *.o | wc -l; make clean; ls *.o 2>/dev/null | wc -l
