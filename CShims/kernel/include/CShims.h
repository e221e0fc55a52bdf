// What Swift cannot reach by itself: variadic and macro-only system calls, struct layouts,
// and everything between fork and exec. Every function is prefixed `sbx_`; those that wrap a system call
// return its result, or -errno, because Swift code may overwrite errno before it is read.
//
// No header here asks for _GNU_SOURCE (the C files get it from Package.swift): Swift imports the C library without it,
// and two views of one header in one program are an error that only a clean build shows.
#ifndef SANDBOX_CSHIMS_H
#define SANDBOX_CSHIMS_H
#include "sbx_calls.h"
#include "sbx_confine.h"
#include "sbx_held.h"
#include "sbx_launch.h"
#include "sbx_notify.h"
#include "sbx_trace.h"
#include "sbx_traffic.h"
#endif
