// Arguments that cannot be read, or that somebody changes while they are read. SECRET is a file that is denied.
#include "guest.h"
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>

static const char *secret;
static _Atomic bool *stop;

static void set_up(int argc, char **argv) {
    secret = argument(argc, argv, 1);
    enter_scratch();
    put("allowed", "public\n");
    stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
static int finish(bool leaked) { *stop = true; leave_scratch(); return verdict(leaked); }

static bool open_often(const char *path) {
    double since = now();
    for (int i = 0; i < 3000 && !overdue(i, since); i++)
        if (shows_secret((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC))) return true;
    return false;
}

/// Another process writes into private memory: by process_vm_writev, by /proc/PID/mem, as a tracer.
static void write_into(pid_t target, char *place, const char *text, int how, int memory) {
    struct iovec own = {(void *)text, strlen(text) + 1}, its = {place, strlen(text) + 1};
    if (how == 0) process_vm_writev(target, &own, 1, &its, 1, 0);
    else if (how == 1) pwrite(memory, text, strlen(text) + 1, (off_t)(uintptr_t)place);
    else for (size_t i = 0; i < strlen(text) + 1; i += 8) { long word = 0; memcpy(&word, text + i, strnlen(text + i, 7)); ptrace(PTRACE_POKEDATA, target, place + i, word); }
}
int attack_race_path_remote_write(int argc, char **argv) {
    set_up(argc, argv);
    bool leaked = false;
    static char place[PATH_MAX];
    for (int how = 0; how < 3 && !leaked; how++) {
        strcpy(place, "allowed"), *stop = false;
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        pid_t target = getpid(), child = fork();
        if (child == 0) {
            char path[64];
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            snprintf(path, sizeof path, "/proc/%d/mem", target);
            int memory = open(path, O_RDWR), status;
            while (!*stop) {
                if (how == 2 && (ptrace(PTRACE_ATTACH, target, 0, 0) < 0 || waitpid(target, &status, 0) < 0)) break;
                write_into(target, place, secret, how, memory);
                if (how == 2) { ptrace(PTRACE_DETACH, target, 0, 0); sched_yield(); }
                else write_into(target, place, "allowed", how, memory);
            }
            _exit(0);
        }
        leaked = open_often(place);
        *stop = true;
        waitpid(child, NULL, 0);
    }
    return finish(leaked);
}

int attack_unreadable_argument(int argc, char **argv) {  // memory that only the kernel's own copy reads, or nearly none
    set_up(argc, argv);
    size_t length = strlen(secret) + 1;
    int fd = (int)syscall(447 /* memfd_secret */, 0);
    char *hidden = fd >= 0 && ftruncate(fd, 4096) == 0 ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    bool leaked = hidden != MAP_FAILED && (strcpy(hidden, secret), shows_secret((int)syscall(SYS_openat, AT_FDCWD, hidden, O_RDONLY)));
    char *edge = unmapped_edge(length);
    memcpy(edge, secret, length), leaked |= opens_secret(edge);
    char *two = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 2 * 4096, 4096);
    memcpy(two + 2 * 4096 - length, secret, length), leaked |= opens_secret(two + 2 * 4096 - length);  // at the end
    memcpy(two + 4096 - length / 2, secret, length), leaked |= opens_secret(two + 4096 - length / 2);  // across two pages
    mprotect(two, 8192, PROT_WRITE), leaked |= opens_secret(two + 4096 - length / 2);                   // not for reading
    const uintptr_t nowhere[] = {0, 1, 4095, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, 0xffffffff81000000, UINTPTR_MAX};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) leaked |= syscall(SYS_openat, AT_FDCWD, (char *)nowhere[i], O_RDONLY) >= 0;
    return finish(leaked);
}

int attack_longest_path(int argc, char **argv) {  // PATH_MAX - 1 bytes, 1,200 and more components
    set_up(argc, argv);
    char path[PATH_MAX];
    size_t length = strlen(secret);
    bool leaked = false;
    const char *padding[] = {"/.", "/", "/usr/.."};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(padding[i]), at = 0;
        while (at + n + length < PATH_MAX) memcpy(path + at, padding[i], n), at += n;
        while (at + length + 1 < PATH_MAX) path[at++] = '/';
        strcpy(path + at, secret);
        leaked |= opens_secret(path);
        symlink(secret, "link");
        for (at = 0; at + 6 < PATH_MAX; at += 2) memcpy(path + at, "./", 2);
        strcpy(path + at, "link"), leaked |= opens_secret(path);
    }
    return finish(leaked);
}

int attack_upper_halves(int argc, char **argv) {  // descriptors, flags and modes are 32 bits wide
    set_up(argc, argv);
    const unsigned long garbage = 0xdeadbeef00000000ul;
    bool leaked = shows_secret((int)syscall(SYS_openat, garbage | (unsigned)AT_FDCWD, secret, garbage | O_RDONLY, garbage));
    leaked |= shows_secret((int)syscall(SYS_openat, 0x1ffffffffull - 99, secret, O_RDONLY, 0));
    char *aligned = mmap((void *)0x700000000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    // A pointer whose lower half is zero.
    if (aligned != MAP_FAILED) strcpy(aligned, secret), leaked |= shows_secret((int)syscall(SYS_openat, AT_FDCWD, aligned, O_RDONLY));
    return finish(leaked);
}

int attack_longer_structs(int argc, char **argv) {  // open_how with a tail that nobody knows
    set_up(argc, argv);
    uint64_t *how = calloc(512, 8);
    bool leaked = false;
    for (size_t size = 24; size <= 4096; size += size < 64 ? 8 : 512) leaked |= shows_secret((int)syscall(SYS_openat2, AT_FDCWD, secret, how, size));
    how[10] = 1;
    leaked |= syscall(SYS_openat2, AT_FDCWD, secret, how, 512) >= 0;
    return finish(leaked);
}

static void on_alarm(int number) { (void)number; }
int attack_signal_storm(int argc, char **argv) {  // interrupted and restarted, the answer is for the call that asked
    set_up(argc, argv);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    bool leaked = false;
    double since = now();
    for (int i = 0; i < 1000 && !leaked && !overdue(i, since); i++) {
        int fd = open("allowed", O_RDONLY | O_CLOEXEC), other = open(secret, O_RDONLY | O_CLOEXEC);
        leaked = shows_secret(other), close(fd);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    return finish(leaked);
}
