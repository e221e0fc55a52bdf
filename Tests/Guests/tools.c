// What the tests need besides: many opens, many processes, files made and reported one by one.
#include "guest.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/auxv.h>

int tool_exit(int argc, char **argv) { return atoi(argument(argc, argv, 1)); }
int tool_signal(int argc, char **argv) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    raise(atoi(argument(argc, argv, 1)));
    return 0;
}
int tool_count_arguments(int argc, char **argv) {
    size_t bytes = 0;
    for (int i = 1; i < argc; i++) bytes += strlen(argv[i]);
    say("%d arguments, %zu bytes", argc - 1, bytes);
    return 0;
}
int tool_say_secret(int argc, char **argv) { (void)argc, (void)argv; say("SECRET started"); return 0; }

/// The open descriptors, but the one that reads the list.
int tool_descriptors(int argc, char **argv) {
    (void)argc, (void)argv;
    for (int fd = 0; fd < 65536; fd++) if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
    say("%s", "");
    return 0;
}

/// How the scheduler treats it: class, nice value, slice.
int tool_schedule(int argc, char **argv) {
    (void)argc, (void)argv;
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } now = {0};
    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) < 0) die("sched_getattr");
    say("class %u, nice %d, slice %llu", now.policy, now.nice, (unsigned long long)now.runtime);
    return 0;
}

/// Opens PATH N times; as many threads as asked for take part.
static const char *opened_path;
static long opens_each;
static _Atomic long opened_count;
static void *opener(void *unused) {
    for (long i = 0; i < opens_each; i++) { int fd = open(opened_path, O_RDONLY | O_CLOEXEC); if (fd >= 0) { close(fd); opened_count++; } }
    return unused;
}
int tool_opens(int argc, char **argv) {
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    pthread_t all[64];
    opened_path = argument(argc, argv, 2), opens_each = atol(argv[1]) / threads;
    for (int i = 0; i < threads && i < 64; i++) start(&all[i], opener, NULL);
    for (int i = 0; i < threads && i < 64; i++) pthread_join(all[i], NULL);
    say("opened %ld", opened_count);
    return 0;
}

/// Starts N processes, WIDTH of them at once; each opens a file and ends. With PROGRAM each executes it.
int tool_spawn(int argc, char **argv) {
    int total = atoi(argument(argc, argv, 1)), width = atoi(argument(argc, argv, 2)), running = 0, started = 0, good = 0, status;
    while (good + 0 < total && (started < total || running > 0)) {
        while (started < total && running < width) {
            pid_t child = fork();
            if (child == 0) {
                if (argc > 3) { execl(argv[3], argv[3], NULL); _exit(127); }
                int fd = open("/dev/null", O_RDONLY);
                _exit(fd >= 0 ? 0 : 1);
            }
            if (child < 0) { if (errno == EAGAIN && running > 0) break; die("fork"); }
            started++, running++;
        }
        if (waitpid(-1, &status, 0) < 0) die("waitpid");
        running--;
        if (status == 0) good++;
        else if (started == total && running == 0) break;
    }
    say("started %d good %d", started, good);
    return good == total ? 0 : 1;
}

/// Makes DIR/MARK-1, -2, … and reports each on stdout after it was made, until it is killed or LIMIT is reached. Leaves company:
/// a thread, a child, and a daemon of its own session, all with MARK in their arguments.
static void *make_files(void *argument_) {
    char **argv = argument_, path[PATH_MAX], line[64];
    long limit = argv[3] ? atol(argv[3]) : 1000000;
    for (long i = 1; i <= limit; i++) {
        snprintf(path, sizeof path, "%s/%s-%ld", argv[1], argv[2], i);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        if (fd < 0) break;
        close(fd);
        int n = snprintf(line, sizeof line, "%s-%ld\n", argv[2], i);
        if (write(1, line, (size_t)n) != n) break;
    }
    return NULL;
}
int tool_maker(int argc, char **argv) {
    argument(argc, argv, 2);
    char *line[] = {"guest", "linger", argv[2], NULL};
    int ends[2];
    if (pipe(ends) < 0) die("pipe");
    for (int i = 0; i < 2; i++) {
        if (fork() != 0) continue;
        if (i == 1) { setsid(); if (fork() > 0) _exit(0); }
        close(ends[0]);
        dup2(ends[1], 1);  // says when it is there; then only its life holds the pipe
        execv("/proc/self/exe", line);
        _exit(127);
    }
    close(ends[1]);
    char text[2];
    if (read(ends[0], text, 1) != 1 || read(ends[0], text + 1, 1) != 1) die("company");
    pthread_t thread;
    start(&thread, make_files, argv);
    pthread_join(thread, NULL);
    for (;;) pause();
}
/// Does nothing for a minute, under a name that can be found. Says so with one byte.
int tool_linger(int argc, char **argv) {
    (void)argc, (void)argv;
    signal(SIGTERM, SIG_IGN), signal(SIGHUP, SIG_IGN), signal(SIGINT, SIG_IGN);
    alarm(60);
    if (write(1, ".", 1) != 1) return 1;
    for (;;) pause();
}
/// `calls KIND PATH`: for each line on its input that says how many, as many calls of one kind, then `done`.
int tool_calls(int argc, char **argv) {
    const char *kind = argument(argc, argv, 1), *path = argument(argc, argv, 2);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    char text[16];
    alarm(120);
    say("ready");
    for (ssize_t n; (n = read(0, text, sizeof text - 1)) > 0; say("done")) {
        text[n] = 0;
        for (int left = atoi(text); left > 0; left--) {
            if (!strcmp(kind, "connect")) { connect(udp, (struct sockaddr *)&to, sizeof to); continue; }
            if (!strcmp(kind, "start")) {
                pid_t pid = fork();
                if (pid == 0) { execl(path, path, "exit", "0", NULL); _exit(127); }
                waitpid(pid, NULL, 0);
                continue;
            }
            int fd = open(path, !strcmp(kind, "write") ? O_WRONLY : O_RDONLY);
            if (fd >= 0) close(fd);
        }
    }
    return 0;
}
/// Says `ready`, then ends with 0 when a line comes in; for tests that look at it meanwhile.
int tool_hold(int argc, char **argv) {
    (void)argc, (void)argv;
    char text[16];
    alarm(120);
    say("ready");
    return read(0, text, sizeof text) > 0 ? 0 : 1;
}
/// Prints the signals it gets, until SIGTERM or SIGHUP, which it dies of as told: exit 10.
static volatile sig_atomic_t caught;
static void catch_signal(int number) { caught = number; }
int tool_catch(int argc, char **argv) {
    (void)argc, (void)argv;
    sigset_t all, none;
    sigfillset(&all), sigemptyset(&none);
    const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGWINCH, SIGCONT};
    sigprocmask(SIG_BLOCK, &all, NULL);
    struct sigaction action = {.sa_handler = catch_signal};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
    say("ready");
    for (;;) {
        sigsuspend(&none);
        say("signal %s", sigabbrev_np(caught));
        if (caught == SIGTERM || caught == SIGHUP) return 10;
    }
}

/// `enter DIR CMD…`: CMD in DIR, with no descriptor but 0, 1 and 2: how the tests start whatever they start.
int tool_enter(int argc, char **argv) {
    if (chdir(argument(argc, argv, 1)) < 0 || syscall(SYS_close_range, 3, ~0U, 0) < 0) { perror(argv[1]); return 125; }
    argument(argc, argv, 2);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return errno == ENOENT ? 127 : 126;
}

/// What a program finds on its stack when it starts (System V ABI, "Process Initialization"; getauxval(3)): each argument, the variables
/// that begin with T_, whether the rest hangs together, and the arguments as others see them.
extern char **environ;
int tool_begin(int argc, char **argv) {
    long *count = (long *)(environ - 2), total = 0;
    while (*count != total) count--, total++;
    say("aligned %d", (int)((uintptr_t)count % 16));
    for (int i = 0; i < argc; i++) say("argument \"%s\"", argv[i]);
    char **e = environ;
    int variables = 0, readable = 0, same = 1;
    for (; *e; e++, variables++) if (strncmp(*e, "T_", 2) == 0) say("variable \"%s\"", *e);
    struct { unsigned long key, value; } *auxiliary = (void *)(e + 1), known[64];
    int fd = open("/proc/self/auxv", O_RDONLY), n = (int)(read(fd, known, sizeof known) / (ssize_t)sizeof known[0]);
    close(fd);
    for (int i = 0; i < n; i++)
        same &= auxiliary[i].key == known[i].key && (auxiliary[i].value == known[i].value || auxiliary[i].key == AT_EXECFN);
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    for (int i = 0; i < 16; i++) readable += random[i] != 0;
    say("home \"%s\", execfn \"%s\", platform %s, random %d, header %d, auxiliary %d", getenv("HOME") ? getenv("HOME") : "",
        (char *)getauxval(AT_EXECFN), (char *)getauxval(AT_PLATFORM), readable > 4,
        memcmp((void *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4) == 0, same);
    char line[4096] = "";
    fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t length = read(fd, line, sizeof line - 1);
    for (ssize_t i = 0; i + 1 < length; i++) if (!line[i]) line[i] = ' ';
    say("seen \"%s\"", line);
    return 0;
}

/// As a container's seccomp profile does it: from here on CALL is refused.
int tool_without(int argc, char **argv) {
    const struct { const char *name; long number; } calls[] = {
        {"openat2", SYS_openat2}, {"process_vm_readv", SYS_process_vm_readv}, {"unshare", SYS_unshare}, {"signalfd", SYS_signalfd4},
        {"pidfd_getfd", SYS_pidfd_getfd}, {"close_range", SYS_close_range}, {"seccomp", SYS_seccomp}, {"ptrace", SYS_ptrace},
    };
    const char *name = argument(argc, argv, 1);
    long number = -1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) if (strcmp(name, calls[i].name) == 0) number = calls[i].number;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (number < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) die(name);
    execvp(argument(argc, argv, 2), argv + 2);
    die(argv[2]);
}
