#include "CShims.h"
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

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

void sbx_slice(uint64_t nanoseconds) {
    // struct sched_attr: its header redefines what <sched.h> has.
    struct {
        uint32_t size, sched_policy;
        uint64_t sched_flags;
        int32_t sched_nice;
        uint32_t sched_priority;
        uint64_t sched_runtime, sched_deadline, sched_period;
    } now = {.size = sizeof now};
    if (sbx_raw(SYS_sched_getattr, 0, &now, sizeof now) < 0) return;
    if (now.sched_policy != SCHED_OTHER && now.sched_policy != SCHED_BATCH) return;
    now.sched_runtime = nanoseconds;
    sbx_raw(SYS_sched_setattr, 0, &now);
}

void sbx_heaps(int most, int bytes) {
    mallopt(M_ARENA_MAX, most);
    mallopt(M_TOP_PAD, bytes);
}

void sbx_cannot_start(const char *call, int e, const char *help) {
    char why[80];
    snprintf(why, sizeof why, "%s", strerror(e));
    why[0] |= 0x20;
    dprintf(2, "sandbox: %s: %s; nothing was run\n%s%s", call, why, help ? "sandbox:   help: " : "", help ? help : "");
}

void sbx_thread_own_folder(void) {
    static atomic_int is_said;
    int e = sbx_unshare_fs();
    if (e == 0) return;
    while (atomic_exchange(&is_said, 1)) pause();  // another thread says it, and ends us all
    sbx_cannot_start("unshare(CLONE_FS)", -e, "a container's seccomp profile may refuse it\n");
    _exit(125);
}
