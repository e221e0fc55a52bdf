// The seccomp filter: every call sorted by its registers alone (seccomp(2), seccomp_rule_add(3)).
#ifndef SBX_FILTER_H
#define SBX_FILTER_H
#include <linux/filter.h>

struct sbx_filter_spec {
    int enforce;       // 0: observe, nothing is refused but what cannot be supervised at all
    int trap_signals;  // 1: Landlock cannot scope signals here, so the kill family comes to the supervisor
    int supervisor;    // its process id
    int front;         // the process that the user started, in the agent's process group
};

// Fills `out` with a malloc'ed program of `count` instructions; 0 or -errno.
int sbx_filter_build(const struct sbx_filter_spec *spec, struct sock_filter **out, unsigned *count);
#endif
