// What every guest shares: a trace of deterministic lines, a scratch directory, and a little help.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef int (*guest_main)(int argc, char **argv);
struct guest { const char *name; guest_main run; const char *arguments; };
extern const struct guest conformance[], attacks[], tools[];

// Trace lines: flushed one by one, so that a guest that dies shows how far it got.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *outcome(long rc);                   // "ok" or the name of errno
void result(const char *label, long rc);        // label: ok | ENOENT
void opened(const char *label, int fd);         // … with flags, close-on-exec, type and mode, size; closes
void content(const char *label, const char *path);
void mode_of(const char *label, const char *path);
void say_status(const char *label, int status); // of waitpid

void enter_scratch(void);                       // a new directory below the current one; leave_scratch removes it
void leave_scratch(void);
extern char scratch[PATH_MAX];                  // its absolute path
void put(const char *path, const char *text);   // a file with this text, 0644, or the guest ends
char *unmapped_edge(size_t length);             // `length` bytes; the next byte is not mapped
double now(void);
void nap_ms(int ms);                            // between two looks at something, never to let time pass
void start(pthread_t *thread, void *(*body)(void *), void *argument);
void remove_tree(const char *path);
void die(const char *what) __attribute__((noreturn));

// Attacks
enum { TRIES = 20000 };
#define SECONDS 5.0
int verdict(bool leaked);                       // prints `leaked` or `held`
bool shows_secret(int fd);                      // reads the beginning, closes; true if it begins with SECRET
bool opens_secret(const char *path);
bool output_has_secret(int fd);                 // reads to the end, closes
bool overdue(int tries, double since);
bool starts(int fd, const char *path, char **line);  // a program, by descriptor or by path; true if it prints SECRET
const char *argument(int argc, char **argv, int index);
