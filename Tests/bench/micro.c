// micro: what one system call costs, as the program that makes it sees it.
//   micro [-p PROCESSES] [-m MILLISECONDS] FOLDER OPERATION...
// PROCESSES (1) do the operation at once. For each operation a line `result OPERATION NANOSECONDS ns`: the median of
// five slices of MILLISECONDS (100). Without arguments it does nothing: it is itself the program that `fork` starts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLICES = 5, MOST = 1000 };
struct worker { struct { double seconds; long calls; } slice[SLICES]; };
static struct shared { atomic_int ready; _Atomic double start; struct worker worker[MOST]; } *shared;
static const char *self;
static char file[PATH_MAX], made[PATH_MAX + 32];
static struct sockaddr_in sink;
static int datagram, channel[2];
static double slice = 0.1;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    _exit(3);
}

// The operations: 0, or something else where the result is not what it must be.
static int do_getppid(void) { return syscall(SYS_getppid) < 0; }
static int do_rw(void) { char c = 1; return write(channel[1], &c, 1) != 1 || read(channel[0], &c, 1) != 1; }
static int do_stat(void) { struct stat info; return fstatat(AT_FDCWD, file, &info, 0) || info.st_size != 4; }
static int do_open(void) { return close(open(file, O_RDONLY | O_CLOEXEC)); }
static int do_write(void) { return close(open(file, O_WRONLY | O_CLOEXEC)); }
static int do_create(void) { return close(open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) || unlink(made); }
static int do_connect(void) { return connect(datagram, (struct sockaddr *)&sink, sizeof sink); }
static int do_fork(void) {
    pid_t pid = fork();
    if (!pid) execl(self, self, (char *)0), _exit(127);
    int status;
    return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}
static const struct operation { const char *name; int (*once)(void); int batch; } operations[] = {
    {"getppid", do_getppid, 16}, {"rw", do_rw, 16},         {"stat", do_stat, 16},       {"open", do_open, 16},
    {"write", do_write, 16},     {"create", do_create, 16}, {"connect", do_connect, 16}, {"fork", do_fork, 1},
};

static void work(const struct operation *operation, struct worker *mine) {
    snprintf(made, sizeof made, "%s.%d", file, getpid());
    // As every real program has when its work begins: until a process makes the first call that strace's filter selects,
    // strace stops it at all of them.
    if (do_open()) fail(file);
    if (pipe(channel) || (datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0) fail("worker");
    shared->ready++;
    while (shared->start == 0) usleep(500);
    double begin = shared->start, end = begin;
    while (now() < begin) {}
    for (int k = 0; k < SLICES; k++) {
        begin = now(), end += slice;
        double at;
        do {
            for (int i = 0; i < operation->batch; i++)
                if (operation->once()) fail(operation->name);
            mine->slice[k].calls += operation->batch;
        } while ((at = now()) < end);
        mine->slice[k].seconds = at - begin;
    }
}

static int ascending(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static double measure(const struct operation *operation, int processes) {
    memset(shared, 0, sizeof *shared);
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid < 0) fail("fork");
        if (pid) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(operation, &shared->worker[i]);
        _exit(0);
    }
    // A worker that failed before it was ready must not leave us waiting for it.
    for (double late = now() + 30; shared->ready < processes; usleep(500))
        if (now() > late) fail("the workers did not begin");
    shared->start = now() + 0.02;
    for (int i = 0, status; i < processes; i++)
        if (wait(&status) < 0 || status) exit(3);
    double result[SLICES];
    for (int k = 0; k < SLICES; k++) {
        double seconds = 0, calls = 0;
        for (int i = 0; i < processes; i++)
            seconds += shared->worker[i].slice[k].seconds, calls += (double)shared->worker[i].slice[k].calls;
        result[k] = seconds / calls * 1e9;
    }
    qsort(result, SLICES, sizeof *result, ascending);
    return result[SLICES / 2];
}

int main(int argc, char **argv) {
    if (argc == 1) return 0;
    int processes = 1;
    self = argv[0];
    for (int option; (option = getopt(argc, argv, "p:m:")) > 0;) {
        if (option == 'p') processes = atoi(optarg);
        else if (option == 'm') slice = atof(optarg) / 1000;
        else return 2;
    }
    if (processes < 1 || processes > MOST || argc - optind < 2) return 2;
    shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(file, sizeof file, "%s/micro.%d", argv[optind++], getpid());
    int made_file = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (shared == MAP_FAILED || made_file < 0 || write(made_file, "four", 4) != 4 || close(made_file)) fail(file);
    // Nobody reads there: connecting a datagram socket sends nothing.
    sink = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(9)};
    for (; optind < argc; optind++) {
        const struct operation *operation = 0;
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
            if (!strcmp(argv[optind], operations[i].name)) operation = &operations[i];
        if (!operation) return 2;
        double nanoseconds = measure(operation, processes);
        printf("result %s %.0f ns\n", operation->name, nanoseconds);
        fflush(stdout);
    }
    return unlink(file) != 0;
}
