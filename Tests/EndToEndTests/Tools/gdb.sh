gdb --version | head -1; gdb -nx -batch -ex "print 6 * 7" 2>/dev/null
