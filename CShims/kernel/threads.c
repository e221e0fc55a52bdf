#include "CShims.h"
#include <sched.h>

int sbx_processors(int *out, int room) {
    cpu_set_t all;
    int n = 0;
    if (sched_getaffinity(getpid(), sizeof all, &all) < 0) return -errno;
    for (int i = 0; i < CPU_SETSIZE && n < room; i++)
        if (CPU_ISSET((unsigned)i, &all)) out[n++] = i;
    return n;
}

void sbx_pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (processor >= 0) CPU_SET((unsigned)processor, &set);
    // The main thread is never pinned.
    else if (sched_getaffinity(getpid(), sizeof set, &set) < 0) return;
    sched_setaffinity(0, sizeof set, &set);
}
