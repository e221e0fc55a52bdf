// Calls that wait and calls that are interrupted: FIFOs, signals, restarts, exactly-once effects; limits and masks.
#include "guest.h"
#include <sys/time.h>

static volatile sig_atomic_t signals_seen;
static void count_signal(int number) { (void)number; signals_seen++; }
static void on_signal(int number, int flags) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
    sigaction(number, &action, NULL);
}

struct waiter { const char *path; int flags; int fd; int error; _Atomic bool done; pthread_t thread; };
static void *open_it(void *argument) {
    struct waiter *w = argument;
    w->fd = open(w->path, w->flags);
    w->error = errno;
    w->done = true;
    return NULL;
}
static void finish(const char *label, struct waiter *w) {
    pthread_join(w->thread, NULL);
    errno = w->error;
    result(label, w->fd);
}
/// Signals the waiter until its handler has run `times` times: it waits in the call then, or has given up.
static void pester(struct waiter *w, int number, int times) {
    int before = signals_seen;
    for (int i = 0; i < 20000 && signals_seen - before < times && !w->done; i++) {
        int seen = signals_seen;
        pthread_kill(w->thread, number);
        for (int k = 0; k < 1000 && signals_seen == seen && !w->done; k++) nap_ms(1);
    }
}

int guest_fifo(int argc, char **argv) {
    (void)argc, (void)argv;
    if (mkfifo("pipe", 0600) < 0) die("mkfifo");
    opened("read, not blocking", open("pipe", O_RDONLY | O_NONBLOCK));
    opened("write, not blocking, no reader", open("pipe", O_WRONLY | O_NONBLOCK));
    opened("both ways", open("pipe", O_RDWR));
    opened("O_PATH", open("pipe", O_PATH));
    opened("create over it, not blocking", open("pipe", O_CREAT | O_RDONLY | O_NONBLOCK, 0600));
    opened("create exclusive over it", open("pipe", O_CREAT | O_EXCL | O_RDONLY | O_NONBLOCK, 0600));
    char text[16] = "";
    for (int round = 0; round < 50; round++) {  // reader and writer meet
        struct waiter reader = {.path = "pipe", .flags = O_RDONLY};
        start(&reader.thread, open_it, &reader);
        int out = open("pipe", O_WRONLY);
        pthread_join(reader.thread, NULL);
        if (out < 0 || reader.fd < 0) die("meeting");
        if (write(out, "met", 3) != 3 || read(reader.fd, text, sizeof text) != 3) die("talking");
        close(out), close(reader.fd);
    }
    say("50 rounds: %s", text);
    for (int round = 0; round < 20; round++) {  // and as processes
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) { int fd = open("pipe", O_WRONLY); _exit(write(fd, "child", 5) == 5 ? 0 : 1); }
        int in = open("pipe", O_RDONLY), status;
        memset(text, 0, sizeof text);
        if (read(in, text, sizeof text) != 5) die("read");
        close(in), waitpid(child, &status, 0);
        if (status) die("child");
    }
    say("20 processes: %s", text);

    on_signal(SIGUSR1, 0), on_signal(SIGUSR2, SA_RESTART);
    struct waiter ended = {.path = "pipe", .flags = O_RDONLY};
    start(&ended.thread, open_it, &ended);
    for (int i = 0; i < 50; i++) close(open("/dev/null", O_RDONLY));
    opened("others go on", open("/dev/null", O_RDONLY));
    pester(&ended, SIGUSR1, 1000000);
    finish("ended by a signal", &ended);
    struct waiter restarted = {.path = "pipe", .flags = O_WRONLY};
    start(&restarted.thread, open_it, &restarted);
    pester(&restarted, SIGUSR2, 50);
    say("restarted and still waiting: %d", !restarted.done);
    int in = open("pipe", O_RDONLY);
    finish("restarted until a reader came", &restarted);
    close(in), close(restarted.fd);
    opened("still no reader", open("pipe", O_WRONLY | O_NONBLOCK));

    struct waiter waiters[16];  // many wait, one comes
    for (int i = 0; i < 16; i++) { waiters[i] = (struct waiter){.path = "pipe", .flags = O_RDONLY}; start(&waiters[i].thread, open_it, &waiters[i]); }
    opened("while 16 wait", open("/dev/null", O_RDWR));
    int out = open("pipe", O_WRONLY), met = 0, missed = 0;
    // One writer wakes those who wait; who comes late waits for this descriptor, which stays open.
    for (int i = 0; i < 16; i++) { pthread_join(waiters[i].thread, NULL); waiters[i].fd >= 0 ? met++ : missed++; close(waiters[i].fd); }
    say("met %d missed %d", met, missed);
    close(out);
    // Killed while it waits
    pid_t child = fork();
    if (child == 0) { close(open("pipe", O_RDONLY)); _exit(0); }
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    say_status("killed while it waits", status);
    opened("nobody is left", open("pipe", O_WRONLY | O_NONBLOCK));
    return 0;
}

static _Atomic int failures[8];
static void *exactly_once(void *argument) {
    char name[32], other[32];
    int id = (int)(intptr_t)argument, limit = argument ? 3000 : 1500;
    snprintf(name, sizeof name, "once-%d", id), snprintf(other, sizeof other, "once-%d-b", id);
    double since = now();
    for (int i = 0; i < limit && now() - since < 40; i++) {
        int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) { failures[0]++; if (failures[0] == 1) fprintf(stderr, "create: %s\n", strerror(errno)); }
        else if (close(fd) < 0) failures[1]++;
        if (rename(name, other) < 0) { failures[2]++; if (failures[2] == 1) fprintf(stderr, "rename: %s\n", strerror(errno)); }
        if (unlink(other) < 0) { failures[3]++; if (failures[3] == 1) fprintf(stderr, "unlink: %s\n", strerror(errno)); }
        if (mkdir(name, 0700) < 0) { failures[4]++; if (failures[4] == 1) fprintf(stderr, "mkdir: %s\n", strerror(errno)); }
        if (rmdir(name) < 0) failures[5]++;
        fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (fd < 0) { failures[6]++; if (failures[6] == 1) fprintf(stderr, "read: %s\n", strerror(errno)); } else close(fd);
        if (open("missing", O_RDONLY) != -1 || errno != ENOENT) failures[7]++;
    }
    return NULL;
}

static void storm(const char *label, int flags, bool to_process) {
    on_signal(SIGALRM, flags), on_signal(SIGURG, flags);
    memset((void *)failures, 0, sizeof failures);
    signals_seen = 0;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
    struct itimerspec often = {{0, 200000}, {0, 200000}};
    struct itimerval alarms = {{0, 200}, {0, 200}};
    if (to_process) setitimer(ITIMER_REAL, &alarms, NULL);
    else if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, 0, &often, NULL) < 0) die("timer");
    pthread_t thread;
    start(&thread, exactly_once, (void *)1);
    exactly_once(NULL);
    pthread_join(thread, NULL);
    double since = now();
    while (signals_seen < 10000 && now() - since < 20) exactly_once((void *)2), since = since > 0 ? since : 1;
    if (to_process) { memset(&alarms, 0, sizeof alarms); setitimer(ITIMER_REAL, &alarms, NULL); } else timer_delete(timer);
    say("%s: create %d close %d rename %d unlink %d mkdir %d rmdir %d read %d missing %d; 10,000 signals %d", label, failures[0],
        failures[1], failures[2], failures[3], failures[4], failures[5], failures[6], failures[7], signals_seen >= 10000);
}

int guest_signals(int argc, char **argv) {
    (void)argc, (void)argv;
    storm("SIGALRM restarting", SA_RESTART, true);
    storm("SIGALRM interrupting", 0, true);
    storm("SIGURG restarting", SA_RESTART, false);
    storm("SIGURG interrupting", 0, false);
    return 0;
}

static void *masked(void *argument) {
    char name[32];
    snprintf(name, sizeof name, "masked-%d", (int)(intptr_t)argument);
    int fd = open(name, O_CREAT | O_WRONLY, 0666);
    close(fd);
    return NULL;
}

static int fill(int kind) {  // how many descriptors fit, opened by open(2) so that each is judged
    int count = 0, fd;
    while ((fd = kind ? openat(AT_FDCWD, "f", O_RDONLY) : open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) count++;
    result("the next one", fd);
    return count;
}

int guest_limits(int argc, char **argv) {
    (void)argc, (void)argv;
    put("f", "x");
    pthread_t thread;
    umask(027);
    start(&thread, masked, (void *)1), pthread_join(thread, NULL), mode_of("a thread shares the mask", "masked-1");
    umask(0);
    start(&thread, masked, (void *)2), pthread_join(thread, NULL), mode_of("and its change", "masked-2");
    umask(022);
    pid_t child = fork();
    if (child == 0) { umask(077); masked((void *)3); _exit(0); }
    waitpid(child, NULL, 0);
    mode_of("a child has its own", "masked-3");
    masked((void *)4), mode_of("the parent's is unchanged", "masked-4");

    // The lowest free descriptor, always
    int low = open("f", O_RDONLY);
    for (int i = low + 1; i < 60; i++) if (dup2(low, i) != i) die("dup2");
    const int holes[] = {41, 17, 59, 12};
    for (int i = 0; i < 4; i++) close(holes[i]);
    int got[4];
    for (int i = 0; i < 4; i++) got[i] = open("f", i & 1 ? O_RDWR : O_RDONLY | O_CLOEXEC);
    say("holes are filled from below: %d %d %d %d", got[0], got[1], got[2], got[3]);
    close(0);
    int zero = open("/dev/null", O_RDWR | O_CREAT, 0600);
    say("0 when it is free: %d", zero);
    for (int i = low; i < 60; i++) close(i);

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 40;
    setrlimit(RLIMIT_NOFILE, &limit);
    int base = open("f", O_RDONLY);
    close(base);
    fill(0);
    opened("a missing file with no descriptor left", open("missing", O_RDONLY));
    opened("creating with no descriptor left", open("not-made", O_CREAT | O_WRONLY, 0600));
    opened("exclusive", open("not-made-2", O_CREAT | O_EXCL | O_WRONLY, 0600));
    opened("truncating", open("f", O_WRONLY | O_TRUNC));
    opened("bad pointer", (int)syscall(SYS_openat, AT_FDCWD, 1L, O_RDONLY));
    close(39);
    mode_of("not made", "not-made"), mode_of("not made", "not-made-2"), mode_of("not truncated", "f");
    int last = open("f", O_RDONLY);
    say("the last one: %d", last);
    for (int i = 3; i < 40; i++) close(i);
    limit.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &limit);
    opened("limit at 3", open("f", O_RDONLY));
    limit.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    say("fits after all: %d", fill(1) > 50);
    for (int i = 3; i < 64; i++) close(i);
    struct rlimit size;
    getrlimit(RLIMIT_FSIZE, &size);
    size.rlim_cur = 100;
    put("g", "x");
    const long lengths[] = {50, 1000, 1000};
    for (int i = 0; i < 3; i++) {  // in children: the limit holds for our own output too
        if ((child = fork()) == 0) {
            if (i == 1) signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &size);
            _exit(truncate("g", lengths[i]) == 0 ? 0 : errno == EFBIG ? 1 : 2);
        }
        int status;
        waitpid(child, &status, 0);
        say_status(i == 0 ? "truncate within RLIMIT_FSIZE" : i == 1 ? "beyond it, ignoring SIGXFSZ" : "beyond it", status);
    }
    return 0;
}
