// Processes: every way to start one, exec from any thread, scripts, big arguments, stops, orphans, statuses.
#include "guest.h"
#include <spawn.h>
#include <sys/pidfd.h>

extern char **environ;
static const char *self = "/proc/self/exe";

static int reap(pid_t pid) { int status = -1; while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {} return status; }
static void run(const char *label, const char *path, char **argv) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { execv(path, argv); say("%s: %s", label, outcome(-1)); _exit(127); }
    say_status(label, reap(child));
}

static int clone_child(void *argument) { _exit(*(int *)argument); }

static void starting(void) {
    int code = 7;
    pid_t child = fork();
    if (child == 0) _exit(3);
    say_status("fork", reap(child));
    volatile pid_t vchild = vfork();
    if (vchild == 0) { execl("/bin/true", "true", NULL); _exit(127); }
    say_status("vfork and exec", reap(vchild));
    vchild = vfork();
    if (vchild == 0) _exit(4);
    say_status("vfork and exit", reap(vchild));
    vchild = vfork();
    if (vchild == 0) { execl("/nowhere", "x", NULL); _exit(5); }
    say_status("vfork and failed exec", reap(vchild));
    char *spawned[] = {"sh", "-c", "exit 9", NULL};
    result("posix_spawn", posix_spawn(&child, "/bin/sh", NULL, NULL, spawned, environ) ? -1 : 0);
    say_status("posix_spawn", reap(child));
    errno = posix_spawn(&child, "/nowhere", NULL, NULL, spawned, environ);
    result("posix_spawn of nothing", errno ? -1 : 0);
    errno = posix_spawnp(&child, "sh", NULL, NULL, spawned, environ);
    say_status("posix_spawnp", reap(child));
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child = clone(clone_child, stack + 65536, CLONE_VM | SIGCHLD, &code);
    say_status("clone CLONE_VM", reap(child));
    child = clone(clone_child, stack + 65536, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, &code);
    say_status("clone CLONE_VM|FILES|FS", reap(child));
    signal(SIGUSR1, SIG_IGN);
    child = clone(clone_child, stack + 65536, SIGUSR1, &code);
    int status = -1;
    say("clone with another exit signal: %d", waitpid(child, &status, __WCLONE) == child);
    say_status("its status", status);
    int pidfd = -1;
    child = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, 0);
    if (child == 0) _exit(11);
    struct pollfd poller = {.fd = pidfd, .events = POLLIN};
    say("CLONE_PIDFD poll: %d", poll(&poller, 1, 10000));
    siginfo_t info = {0};
    result("waitid P_PIDFD", waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
    say("waitid: code %d status %d", info.si_code, info.si_status);
    close(pidfd);
    result("waitpid without children", waitpid(-1, &status, 0));
}

static void *thread_exec(void *argument) { execv(((char **)argument)[0], argument); return NULL; }
static void *thread_idle(void *unused) { for (;;) pause(); return unused; }

static void threads(void) {
    pthread_t many[50];
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 50; i++) start(&many[i], thread_idle, NULL);
        _exit(21);
    }
    say_status("exit with 50 threads", reap(child));
    char *line[] = {"/bin/sh", "-c", "echo from a thread; exit 22", NULL};
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; i++) start(&many[i], thread_idle, NULL);
        start(&many[20], thread_exec, line);
        pause();
        _exit(1);
    }
    say_status("exec by a thread that is not the leader", reap(child));
    child = fork();
    if (child == 0) { start(&many[0], thread_exec, line); pthread_exit(NULL); }
    say_status("the same, leader gone", reap(child));
    char *missing[] = {"/nowhere", NULL};
    child = fork();
    if (child == 0) { start(&many[0], thread_exec, missing); pthread_join(many[0], NULL); _exit(errno ? 23 : 24); }
    say_status("failed exec in a thread", reap(child));
    for (int round = 0; round < 20; round++) {  // several threads exec at once: one wins
        child = fork();
        if (child == 0) {
            char *win[] = {"/bin/sh", "-c", "exit 25", NULL};
            for (int i = 0; i < 4; i++) start(&many[i], thread_exec, win);
            pause();
        }
        int status = reap(child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 25) say_status("exec race", status);
    }
    say("exec races done");
    child = fork();
    if (child == 0) { start(&many[0], thread_idle, NULL); pthread_exit(NULL); }
    kill(child, SIGTERM);
    say_status("leader gone, killed", reap(child));
}

static void failures(void) {
    char *line[] = {"x", NULL};
    put("plain", "text\n"), chmod("plain", 0755);
    put("not-executable", "#!/bin/sh\nexit 0\n");
    put("no-interpreter", "#!/nowhere/sh\n"), chmod("no-interpreter", 0755);
    put("empty", ""), chmod("empty", 0755);
    put("self", "#!self\n"), chmod("self", 0755);
    mkdir("dir", 0755), symlink("loop", "loop");
    const char *paths[] = {"plain", "not-executable", "no-interpreter", "empty", "dir", "loop", "missing", "plain/x", "", "/", ".", "/etc/passwd", "/dev/null"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char label[64];
        snprintf(label, sizeof label, "exec \"%s\"", paths[i]);
        run(label, paths[i], line);
    }
    result("exec NULL", syscall(SYS_execve, NULL, line, environ));
    result("exec bad argv", syscall(SYS_execve, "/bin/true", 1L, environ));
    result("exec bad envp", syscall(SYS_execve, "/bin/true", line, 1L));
    char *bad[] = {"x", (char *)1, NULL};
    result("exec bad argument", syscall(SYS_execve, "/bin/true", bad, environ));
    char *edge = unmapped_edge(10);
    memcpy(edge, "/bin/true", 10);
    run("exec by a name at the edge", edge, line);
    char *path = malloc(5000);
    memset(path, '/', 5000), path[4096] = 0;
    result("exec 4,096 bytes", execv(path, line));
    free(path);
}

static void scripts(void) {
    char *line[] = {"argv0", "one", "two words", "", NULL};
    put("s1", "#!/bin/sh\necho \"$0|$1|$2|$3|$#\"\nexit 31\n"), chmod("s1", 0755);
    run("script", "./s1", line);
    put("s2", "#! /bin/sh -e \nfalse\nexit 32\n"), chmod("s2", 0755);
    run("script with an argument", "./s2", line);
    put("s3", "#!./s1 given\n"), chmod("s3", 0755);
    run("nested", "./s3", line);
    char name[8] = "n0", next[16], text[32];
    put(name, "#!/bin/sh\necho end of chain $#\n"), chmod(name, 0755);
    for (int i = 1; i <= 6; i++) {
        snprintf(text, sizeof text, "#!./n%d\n", i - 1), snprintf(next, sizeof next, "n%d", i);
        put(next, text), chmod(next, 0755);
        snprintf(text, sizeof text, "chain of %d", i), snprintf(name, sizeof name, "./n%d", i);
        run(text, name, line);
    }
    char long_line[400];
    memset(long_line, '/', sizeof long_line), memcpy(long_line, "#!", 2), strcpy(long_line + 300, "bin/sh\n");
    put("long", long_line), chmod("long", 0755);
    run("first line too long", "./long", line);
    put("crlf", "#!/bin/sh\r\necho\n"), chmod("crlf", 0755);
    run("CR before LF", "./crlf", line);
    mkdir("x", 0755), symlink("../s1", "x/link");
    run("script by a link", "x/link", line);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { execlp("./plain", "plain", NULL); _exit(127); }  // the shell takes what has no format
    say_status("no format, execlp", reap(child));
}

static void by_descriptor(void) {
    char *line[] = {"sh", "-c", "echo by descriptor; exit 41", NULL};
    int sh = open("/bin/sh", O_PATH | O_CLOEXEC), script = open("s1", O_RDONLY), dir = open("/bin", O_PATH);
    pid_t child;
#define IN_CHILD(label, call) fflush(stdout); if ((child = fork()) == 0) { call; say("%s: %s", label, outcome(-1)); _exit(127); } say_status(label, reap(child))
    IN_CHILD("execveat AT_EMPTY_PATH", syscall(SYS_execveat, sh, "", line, environ, AT_EMPTY_PATH));
    IN_CHILD("execveat dirfd", syscall(SYS_execveat, dir, "sh", line, environ, 0));
    IN_CHILD("execveat closed dirfd", syscall(SYS_execveat, 999, "sh", line, environ, 0));
    IN_CHILD("execveat empty, no flag", syscall(SYS_execveat, sh, "", line, environ, 0));
    IN_CHILD("execveat AT_SYMLINK_NOFOLLOW on a link", syscall(SYS_execveat, AT_FDCWD, "x/link", line, environ, AT_SYMLINK_NOFOLLOW));
    IN_CHILD("execveat bad flags", syscall(SYS_execveat, dir, "sh", line, environ, 1));
    IN_CHILD("fexecve", fexecve(sh, line, environ));
    IN_CHILD("fexecve of a script, close on exec", (fcntl(script, F_SETFD, FD_CLOEXEC), fexecve(script, line, environ)));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", sh);
    IN_CHILD("exec /proc/self/fd", execv(path, line));
    snprintf(path, sizeof path, "/dev/fd/%d", sh);
    IN_CHILD("exec /dev/fd", execv(path, line));
    char *exit_line[] = {"guest", "exit", "43", NULL};
    IN_CHILD("exec /proc/self/exe", execv(self, exit_line));
    char *null_argv[] = {NULL};
    IN_CHILD("no argv at all", execve("/bin/true", null_argv, environ));
    IN_CHILD("no environment", execve("/bin/true", exit_line, NULL));
    close(sh), close(script), close(dir);
}

static void big(void) {
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    stack.rlim_cur = 8 << 20;
    setrlimit(RLIMIT_STACK, &stack);
    // 1.9 MB in strings of less than 128 KiB each
    char **line = calloc(20100, sizeof *line), *chunk = malloc(131000);
    memset(chunk, 'a', 130999), chunk[130999] = 0;
    line[0] = "guest", line[1] = "count-arguments";
    for (int i = 0; i < 14; i++) line[2 + i] = chunk;
    run("1.8 MB of arguments", self, line);
    for (int i = 0; i < 20000; i++) line[2 + i] = "word";
    run("20,000 arguments", self, line);
    line[20002] = NULL;
    memset(chunk, 'b', 130999);
    for (int i = 0; i < 20; i++) line[2 + i] = chunk;
    line[22] = NULL;
    run("more than a quarter of the stack", self, line);
    char *huge = malloc(140000);
    memset(huge, 'c', 139999), huge[139999] = 0;
    line[2] = huge, line[3] = NULL;
    run("one argument above 128 KiB", self, line);
    free(line), free(chunk), free(huge);
}

static void stops(void) {
    int status;
    pid_t child = fork();
    if (child == 0) for (;;) pause();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED), say_status("SIGSTOP", status);
    result("not stopped twice", waitpid(child, &status, WUNTRACED | WNOHANG));
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED), say_status("SIGCONT", status);
    setpgid(child, child);  // the kernel ignores SIGTSTP in an orphaned group, as ours may be
    kill(child, SIGTSTP);
    waitpid(child, &status, WUNTRACED), say_status("SIGTSTP", status);
    kill(child, SIGTERM), kill(child, SIGCONT);
    do waitpid(child, &status, WCONTINUED); while (WIFCONTINUED(status));
    say_status("SIGTERM while stopped", status);
    child = fork();
    if (child == 0) { raise(SIGSTOP); _exit(51); }
    waitpid(child, &status, WUNTRACED), say_status("stops itself", status);
    siginfo_t info = {0};
    kill(child, SIGCONT);
    waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOWAIT);
    say("waitid continued: %d", info.si_code == CLD_CONTINUED);
    say_status("goes on", reap(child));
    const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGTRAP, SIGPIPE, SIGRTMIN, SIGSYS};
    struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        char label[32];
        if ((child = fork()) == 0) { setrlimit(RLIMIT_CORE, &none); signal(signals[i], SIG_DFL); raise(signals[i]); _exit(0); }
        snprintf(label, sizeof label, "signal %zu", i);
        say_status(label, reap(child));
    }
    if ((child = fork()) == 0) { setrlimit(RLIMIT_CORE, &none); *(volatile int *)8 = 1; _exit(0); }
    say_status("segmentation fault", reap(child));
    if ((child = fork()) == 0) { signal(SIGTRAP, SIG_IGN); signal(SIGSEGV, SIG_IGN); raise(SIGTRAP); _exit(52); }
    say_status("ignored SIGTRAP", reap(child));
}

static void families(void) {
    int ends[2], status;
    char text[32] = "";
    if (pipe(ends) < 0) die("pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {  // a daemon: forks twice, its parent ends, init or a subreaper takes it
        setsid();
        pid_t parent = getpid();
        if (fork() > 0) _exit(0);
        for (int i = 0; i < 5000 && getppid() == parent; i++) nap_ms(1);
        put("daemon", "was here");
        _exit(write(ends[1], "orphan", 6) == 6 ? 0 : 1);
    }
    say_status("first child of the daemon", reap(child));
    close(ends[1]);
    if (read(ends[0], text, sizeof text) < 0) die("read");
    say("daemon says: %s", text);
    content("daemon wrote", "daemon");
    struct rusage usage = {0};
    if ((child = fork()) == 0) { for (volatile long i = 0; i < 30000000; i++) {} _exit(61); }
    result("wait4", wait4(child, &status, 0, &usage) == child ? 0 : -1);
    say("rusage has time: %d", usage.ru_utime.tv_sec || usage.ru_utime.tv_usec || usage.ru_stime.tv_usec);
    if ((child = fork()) == 0) for (;;) pause();
    int pidfd = pidfd_open(child, 0);
    result("pidfd_open", pidfd);
    struct pollfd poller = {.fd = pidfd, .events = POLLIN};
    say("alive: %d", poll(&poller, 1, 0));
    result("pidfd_send_signal", pidfd_send_signal(pidfd, SIGTERM, NULL, 0));
    say("dead: %d", poll(&poller, 1, 10000));
    say_status("by pidfd", reap(child));
    result("pidfd_send_signal again", pidfd_send_signal(pidfd, SIGTERM, NULL, 0));
    close(pidfd);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if ((child = fork()) == 0) { if (fork() == 0) _exit(62); _exit(63); }
    int seen = 0;
    for (int i = 0; i < 2; i++) if (waitpid(-1, &status, 0) > 0) seen += WEXITSTATUS(status);
    say("subreaper saw: %d", seen);
    for (int i = 0; i < 200; i++) {
        if ((child = fork()) == 0) { if (i % 2) execl("/bin/true", "true", NULL); _exit(0); }
        if (child < 0 || reap(child) != 0) die("one of 200");
    }
    pid_t all[100];
    for (int i = 0; i < 100; i++) if ((all[i] = fork()) == 0) { close(open("/dev/null", O_RDONLY)); _exit(i); }
    int sum = 0;
    for (int i = 0; i < 100; i++) sum += WEXITSTATUS(reap(all[i]));
    say("200 one by one, 100 at once: %d", sum);
    if ((child = fork()) == 0) { setpgid(0, 0); if (fork() == 0) for (;;) pause(); for (;;) pause(); }
    setpgid(child, child);
    result("kill a group", kill(-child, SIGKILL));
    say_status("group leader", reap(child));
    while (waitpid(-1, &status, 0) > 0) {}
    result("kill -0 nobody", kill(child, 0));
    result("signal number out of range", kill(getpid(), 99));
}

int guest_processes(int argc, char **argv) {
    (void)argc, (void)argv;
    starting();
    threads();
    failures();
    scripts();
    by_descriptor();
    big();
    stops();
    families();
    return 0;
}
