// Roads to a program that may not be started. FORBIDDEN is a copy of this program under that name, which prints SECRET.
#include "guest.h"
#include <spawn.h>
#include <sys/personality.h>

bool starts(int fd, const char *path, char **line) {
    int ends[2];
    char *environment[] = {NULL};
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1), dup2(open("/dev/null", O_WRONLY), 2);
        if (fd >= 0) syscall(SYS_execveat, fd, "", line, environment, AT_EMPTY_PATH);
        else execve(path, line, environment);
        _exit(127);
    }
    close(ends[1]);
    bool leaked = output_has_secret(ends[0]);
    waitpid(child, NULL, 0);
    return leaked;
}

static bool copy_to(const char *from, int to) {
    char buffer[65536];
    int fd = open(from, O_RDONLY);
    ssize_t n;
    if (fd < 0) return false;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) if (write(to, buffer, (size_t)n) != n) return false;
    return n == 0;
}

int attack_memfd_exec(int argc, char **argv) {  // FORBIDDEN may not be started; nor may what is read from it
    const char *forbidden = argument(argc, argv, 1);
    char *line[] = {"x", "say-secret", NULL};
    int memory = memfd_create("program", MFD_CLOEXEC);
    bool leaked = memory >= 0 && copy_to(forbidden, memory) && starts(memory, NULL, line);
    enter_scratch();
    int copy = open("copy", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    bool copied = copy_to(forbidden, copy);
    close(copy);
    leaked |= copied && starts(-1, "./copy", line);
    leaked |= link(forbidden, "hard") == 0 && starts(-1, "./hard", line);
    leave_scratch();
    return verdict(leaked);
}

int attack_memfd_start(int argc, char **argv) {  // a program that lies in memory alone; named as one that may be started
    (void)argc, (void)argv;
    char *line[] = {"x", "say-secret", NULL}, path[PATH_MAX], text[PATH_MAX + 32];
    int memory = memfd_create("/usr/bin/true", MFD_CLOEXEC), script = memfd_create("script", 0);
    bool leaked = memory >= 0 && copy_to("/proc/self/exe", memory) && starts(memory, NULL, line);
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0 || script < 0) die("script");
    path[n] = 0;
    snprintf(text, sizeof text, "#!%s say-secret\n", path);
    leaked |= write(script, text, strlen(text)) > 0 && starts(script, NULL, line);
    return verdict(leaked);
}

int attack_ld_so_exec(int argc, char **argv) {
    const char *loaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"};
    bool leaked = false;
    for (int i = 0; i < 2; i++) {
        char *line[] = {"ld.so", (char *)argument(argc, argv, 1), "say-secret", NULL};
        leaked |= starts(-1, loaders[i], line);
    }
    return verdict(leaked);
}

int attack_exec_plain(int argc, char **argv) {  // every way to name a program
    const char *forbidden = argument(argc, argv, 1);
    char path[PATH_MAX + 32], *line[] = {"true", "say-secret", NULL};
    enter_scratch();
    bool leaked = starts(-1, forbidden, line);
    symlink(forbidden, "innocent"), leaked |= starts(-1, "./innocent", line);
    int fd = open(forbidden, O_PATH);
    if (fd >= 0) {
        leaked |= starts(fd, NULL, line);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd), leaked |= starts(-1, path, line);
    }
    snprintf(path, sizeof path, "/proc/self/root%s", forbidden), leaked |= starts(-1, path, line);
    FILE *script = fopen("script", "w");
    if (script) { fprintf(script, "#!%s say-secret\n", forbidden); fclose(script); chmod("script", 0755); leaked |= starts(-1, "./script", line); }
    leave_scratch();
    return verdict(leaked);
}

/// FORBIDDEN has had a second name since before the session.
int attack_exec_hardlink_before(int argc, char **argv) {
    const char *link = argument(argc, argv, 2);
    char *line[] = {"x", "say-secret", NULL}, *loaded[] = {"ld.so", (char *)link, "say-secret", NULL};
    bool leaked = starts(-1, link, line) || starts(-1, "/lib64/ld-linux-x86-64.so.2", loaded);
    enter_scratch();
    int copy = open("copy", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    bool copied = copy_to(link, copy);
    close(copy);
    leaked |= copied && starts(-1, "./copy", line);
    symlink(link, "soft"), leaked |= starts(-1, "./soft", line);
    put("script", ""), chmod("script", 0755);
    FILE *script = fopen("script", "w");
    fprintf(script, "#!%s say-secret\n", link), fclose(script), leaked |= starts(-1, "./script", line);
    leave_scratch();
    return verdict(leaked);
}

static void write_script(const char *name, const char *interpreter) {
    FILE *script = fopen(name, "w");
    if (!script) die("script");
    fprintf(script, "#!%s\n", interpreter), fclose(script), chmod(name, 0755);
}

int attack_exec_script_chain(int argc, char **argv) {  // five scripts, each the interpreter of the next: as many as the kernel follows
    const char *forbidden = argument(argc, argv, 1);
    char name[PATH_MAX + 16], before[PATH_MAX], *line[] = {"x", NULL};
    enter_scratch();
    snprintf(before, sizeof before, "%s", forbidden);
    bool leaked = false;
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "%s/s%d", scratch, i);
        write_script(name, before), leaked |= starts(-1, name, line);
        int fd = open(name, O_RDONLY);  // not close-on-exec: the interpreter reads it by this descriptor
        leaked |= starts(fd, NULL, line), close(fd);
        snprintf(before, sizeof before, "%s", name);
    }
    leave_scratch();
    return verdict(leaked);
}

int attack_exec_launchers(int argc, char **argv) {  // whoever starts it, it is started
    const char *forbidden = argument(argc, argv, 1);
    const char *forms[] = {"exec %s", "env %s", "sh -c %s", "echo | xargs %s", "find . -maxdepth 0 -exec %s \\;", "awk 'BEGIN { system(\"%s\") }'",
                           "perl -e 'exec \"%s\"'", "nice %s", "timeout 5 %s", "setsid %s", "x=$(%s); echo $x", "nohup %s", "(cd / && %s) &\nwait"};
    char text[PATH_MAX + 64];
    bool leaked = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(text, sizeof text, forms[i], forbidden);
        char *line[] = {"sh", "-c", text, NULL};
        leaked |= starts(-1, "/bin/sh", line);
    }
    return verdict(leaked);
}

static const char *program;
static void *exec_in_thread(void *leader) {
    if (leader) pthread_join(*(pthread_t *)leader, NULL);
    execl(program, "x", "say-secret", NULL);
    _exit(127);
}

/// A child whose second thread starts the program, with the leader alive or gone.
static bool thread_starts(bool alone) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) {
        static pthread_t self, thread;
        dup2(ends[1], 1), dup2(open("/dev/null", O_WRONLY), 2);
        self = pthread_self();
        start(&thread, exec_in_thread, alone ? &self : NULL);
        if (alone) pthread_exit(NULL);
        pthread_join(thread, NULL);
        _exit(127);
    }
    close(ends[1]);
    bool leaked = output_has_secret(ends[0]);
    waitpid(child, NULL, 0);
    return leaked;
}

int attack_exec_from_thread(int argc, char **argv) {
    program = argument(argc, argv, 1);
    bool leaked = thread_starts(false);
    return verdict(thread_starts(true) || leaked);
}

int attack_exec_arguments(int argc, char **argv) {  // 1.9 MB of them, 20,000, none at all
    const char *forbidden = argument(argc, argv, 1);
    enum { MANY = 20000, LONG = 120 * 1024, LONGS = 15 };
    char **line = calloc(MANY + 2, sizeof *line), *word = malloc(LONG + 1), *none[] = {NULL};
    memset(word, 'x', LONG), word[LONG] = 0;
    line[0] = "x";
    for (int i = 1; i <= LONGS; i++) line[i] = word;
    bool leaked = starts(-1, forbidden, line);
    for (int i = 1; i <= MANY; i++) line[i] = "y";
    leaked |= starts(-1, forbidden, line) || starts(-1, forbidden, none);
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    posix_spawn_file_actions_init(&actions), posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    pid_t child = 0;
    char *two[] = {"x", "say-secret", NULL};
    int failed = posix_spawn(&child, forbidden, &actions, NULL, two, none);
    close(ends[1]);
    leaked |= output_has_secret(ends[0]) && !failed;
    if (child > 0) waitpid(child, NULL, 0);
    return verdict(leaked);
}

static const char *secret;
static int opens_it(void *unused) { (void)unused; _exit(opens_secret(secret) ? 42 : 0); }

int attack_children(int argc, char **argv) {  // every kind of child, some of which a tracer could miss
    secret = argument(argc, argv, 1);
    static char stack[65536] __attribute__((aligned(16)));
    const int kinds[] = {CLONE_VFORK | CLONE_VM | SIGCHLD, CLONE_VM | SIGCHLD, CLONE_UNTRACED | SIGCHLD, CLONE_FILES | CLONE_FS | SIGCHLD, 0, CLONE_PARENT | SIGCHLD};
    bool leaked = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pid_t child = clone(opens_it, stack + sizeof stack, kinds[i], NULL);
        int status = 0;
        if (child > 0 && waitpid(child, &status, __WALL) == child) leaked |= WIFEXITED(status) && WEXITSTATUS(status) == 42;
    }
    return verdict(leaked);
}

int attack_i386_exec(int argc, char **argv) {  // 11 is munmap in the other table
    const char *forbidden = argument(argc, argv, 1);
#ifdef __x86_64__
    char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) die("mmap");
    uint32_t *line = (uint32_t *)(low + 4096);
    snprintf(low, 4096, "%s", forbidden);
    line[0] = (uint32_t)(uintptr_t)low, line[1] = 0, line[2] = 0;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        long rc;
        __asm__ volatile("int $0x80" : "=a"(rc) : "a"(11L), "b"(low), "c"(line), "d"(line + 2) : "r8", "r9", "r10", "r11", "memory");
        _exit(127);
    }
    close(ends[1]);
    bool leaked = output_has_secret(ends[0]);
    waitpid(child, NULL, 0);
    return verdict(leaked);
#else
    char *line[] = {"x", NULL};
    return verdict(starts(-1, forbidden, line));
#endif
}

int attack_exec_allowed_name(int argc, char **argv) {  // `ls` may be started, FORBIDDEN may not: a name is quickly given
    const char *forbidden = argument(argc, argv, 1);
    char path[PATH_MAX + 8], *line[] = {"ls", "say-secret", NULL};
    enter_scratch();
    mkdir("copy", 0755), mkdir("link", 0755);
    int copy = open("copy/ls", O_CREAT | O_WRONLY | O_CLOEXEC, 0755), memory = memfd_create("x/ls", MFD_CLOEXEC);
    bool copied = copy_to(forbidden, copy), leaked = copy_to(forbidden, memory) && starts(memory, NULL, line);
    close(copy);
    leaked |= copied && starts(-1, "copy/ls", line);
    symlink(forbidden, "link/ls"), leaked |= starts(-1, "./link/ls", line);
    snprintf(path, sizeof path, "%s/link/ls", scratch), leaked |= starts(-1, path, line);
    leaked |= starts(-1, "/proc/self/cwd/link/ls", line) || starts(-1, "/proc/self/root/proc/self/cwd/link/ls", line);
    int folder = open("link", O_PATH | O_DIRECTORY);
    snprintf(path, sizeof path, "/dev/fd/%d/ls", folder), leaked |= starts(-1, path, line);
    leave_scratch();
    return verdict(leaked);
}

int attack_new_privileges(int argc, char **argv) { (void)argc, (void)argv; return verdict(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1); }

/// `from-memory PROGRAM`: starts a copy of it that is in no file system.
int tool_from_memory(int argc, char **argv) {
    int memory = memfd_create("program", MFD_CLOEXEC);
    char *line[] = {"x", NULL}, *environment[] = {NULL};
    if (!copy_to(argument(argc, argv, 1), memory)) die("copy");
    pid_t child = fork();
    if (child == 0) { syscall(SYS_execveat, memory, "", line, environment, AT_EMPTY_PATH); _exit(127); }
    int status = 1;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static volatile char mark[] = "fresh";  // as a newly loaded copy of this program has it
static bool is_fresh(pid_t child) {
    char path[32], seen = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool fresh = pread(fd, &seen, 1, (off_t)(uintptr_t)mark) == 1 && seen == 'f';
    close(fd);
    return fresh;
}

/// What is loaded of FORBIDDEN, a copy of this program, at the same addresses: read out of the process before it is ended.
int attack_exec_memory(int argc, char **argv) {
    const char *forbidden = argument(argc, argv, 1);
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv - 1);
        die("execv");
    }
    static char *line[1000], part[1000];
    memset(part, 'x', sizeof part - 1);  // it takes a while to look at it all
    for (int i = 0; i < 999; i++) line[i] = part;
    mark[0] = 'c';
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY), 1), dup2(1, 2);
            execv(forbidden, line);
            _exit(127);
        }
        while (!leaked && waitpid(child, NULL, WNOHANG) == 0) leaked = is_fresh(child);
        if (leaked) waitpid(child, NULL, 0);
    }
    return verdict(leaked);
}

/// FORBIDDEN is stopped before its first instruction and stays there, with all that was loaded of it.
int attack_exec_stopped(int argc, char **argv) {
    const char *forbidden = argument(argc, argv, 1);
    char path[32], program[PATH_MAX];
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && i < 300 && !overdue(i, since); i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY), 1), dup2(1, 2);
            execl(forbidden, forbidden, NULL);
            _exit(127);
        }
        snprintf(path, sizeof path, "/proc/%d/exe", child);
        for (int status = 0, ended = 0; !ended;) {
            kill(child, SIGSTOP);
            if (waitpid(child, &status, WUNTRACED | WNOHANG) != child) continue;
            ended = !WIFSTOPPED(status);
            ssize_t n = ended ? 0 : readlink(path, program, sizeof program);
            leaked |= n > 10 && memcmp(program + n - 10, "/forbidden", 10) == 0;
            if (!ended) kill(child, leaked ? SIGKILL : SIGCONT);
        }
    }
    return verdict(leaked);
}
