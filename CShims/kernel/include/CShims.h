// What Swift cannot reach by itself: variadic and macro-only system calls, struct layouts, the seccomp filter,
// and everything between fork and exec. Every function is prefixed `sbx_`; those that wrap a system call
// return its result, or -errno, because Swift code may overwrite errno before it is read.
#ifndef SANDBOX_CSHIMS_H
#define SANDBOX_CSHIMS_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sbx_calls.h"
#include "sbx_filter.h"
#include "sbx_launch.h"
#include "sbx_notify.h"
#include "sbx_trace.h"
#endif
