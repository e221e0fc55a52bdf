#include "CShims.h"
#include <sched.h>

int sbx_may_run_on(int processor) {
    cpu_set_t all;
    CPU_ZERO(&all);
    return sched_getaffinity(getpid(), sizeof all, &all) == 0 && CPU_ISSET((unsigned)processor, &all);
}

void sbx_pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (processor >= 0) CPU_SET((unsigned)processor, &set);
    // The main thread is never pinned.
    else if (sched_getaffinity(getpid(), sizeof set, &set) < 0) return;
    sched_setaffinity(0, sizeof set, &set);
}
