// Other doors of the kernel: foreign ABIs, io_uring, handles, mounts, namespaces, keys, memory programs, terminals.
#include "guest.h"
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>

int attack_io_uring_open(int argc, char **argv) {
    const char *secret = argument(argc, argv, 1);
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
    if (ring < 0) return verdict(false);
    char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *entry = mmap(NULL, p.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || entry == MAP_FAILED) return verdict(true);
    *entry = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)secret, .open_flags = O_RDONLY};
    ((unsigned *)(sq + p.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return verdict(false);
    return verdict(shows_secret(((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res));
}

#ifdef __x86_64__
static long int80(long number, long a, long b, long c) {
    long rc;
    __asm__ volatile("int $0x80" : "=a"(rc) : "a"(number), "b"(a), "c"(b), "d"(c) : "r8", "r9", "r10", "r11", "memory");
    return rc;
}
#endif

/// In a child: a filter may end it.
static bool in_child(bool (*body)(const char *), const char *secret) {
    pid_t child = fork();
    if (child == 0) _exit(body(secret) ? 42 : 0);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static bool by_i386(const char *secret) {
#ifdef __x86_64__
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) return false;
    strcpy(low, secret);
    int fd = (int)int80(5 /* open */, (long)low, O_RDONLY, 0);
    if (fd < 0) fd = (int)int80(295 /* openat */, AT_FDCWD, (long)low, O_RDONLY);
    return shows_secret(fd);
#else
    return opens_secret(secret);
#endif
}
int attack_i386_open(int argc, char **argv) { return verdict(in_child(by_i386, argument(argc, argv, 1))); }

static bool by_x32(const char *secret) {
    int fd = (int)syscall(0x40000000 | 2, secret, O_RDONLY);
    if (fd < 0) fd = (int)syscall(0x40000000 | 257, AT_FDCWD, secret, O_RDONLY);
    return shows_secret(fd);
}
int attack_x32_open(int argc, char **argv) { return verdict(in_child(by_x32, argument(argc, argv, 1))); }

int attack_open_by_handle(int argc, char **argv) {
    const char *secret = argument(argc, argv, 1);
    union { struct file_handle handle; char space[sizeof(struct file_handle) + 128]; } h = {.handle.handle_bytes = 128};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, secret, &h.handle, &mount_id, 0) < 0) return verdict(false);
    int mount = open(".", O_RDONLY | O_DIRECTORY);
    return verdict(shows_secret(open_by_handle_at(mount, &h.handle, O_RDONLY)));
}

int attack_mount_new_api(int argc, char **argv) {
    const char *secret = argument(argc, argv, 1);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", secret), *strrchr(folder, '/') = 0;
    int tree = (int)syscall(428 /* open_tree */, AT_FDCWD, folder, 1 /* OPEN_TREE_CLONE */);
    bool leaked = tree >= 0 && shows_secret(openat(tree, strrchr(secret, '/') + 1, O_RDONLY));
    int context = (int)syscall(430 /* fsopen */, "tmpfs", 0);
    leaked |= context >= 0;
    leaked |= syscall(SYS_chroot, "/") == 0;  // to where we are: changes nothing
    return verdict(leaked);
}

static bool new_user(const char *unused) { (void)unused; return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0; }
int attack_unshare_user(int argc, char **argv) {
    (void)argc, (void)argv;
    bool leaked = in_child(new_user, "");
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
    if (child == 0) _exit(0);
    if (child > 0) { waitpid(child, NULL, 0); leaked = true; }
    return verdict(leaked);
}

int attack_clone3_newuser(int argc, char **argv) {
    (void)argc, (void)argv;
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    return verdict(child > 0);
}

int attack_userfaultfd(int argc, char **argv) {
    (void)argc, (void)argv;
    bool leaked = syscall(SYS_userfaultfd, O_CLOEXEC) >= 0 || syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) >= 0;
    int fd = open("/dev/userfaultfd", O_RDWR);
    leaked |= fd >= 0 && ioctl(fd, USERFAULTFD_IOC_NEW, O_CLOEXEC) >= 0;
    return verdict(leaked);
}

int attack_keyctl(int argc, char **argv) {
    (void)argc, (void)argv;
    bool leaked = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3, 1) >= 0;
    leaked |= syscall(SYS_add_key, "user", "guest", "x", 1, -2 /* process keyring */) >= 0;
    return verdict(leaked);
}

int attack_line_discipline(int argc, char **argv) {  // of a terminal of its own, set to what it is; some make devices of it
    (void)argc, (void)argv;
    int master = posix_openpt(O_RDWR | O_NOCTTY), usual = 0;
    if (master < 0) return verdict(false);
    return verdict(ioctl(master, TIOCSETD, &usual) == 0 || syscall(SYS_ioctl, master, 0x100000000UL | TIOCSETD, &usual) == 0);
}

/// A sibling instead of a child: made by a child, so that it becomes our own.
static bool makes_sibling(const char *unused) {
    (void)unused;
    pid_t sibling = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
    if (sibling == 0) _exit(0);
    return sibling > 0;
}
int attack_clone_parent(int argc, char **argv) {
    (void)argc, (void)argv;
    bool leaked = in_child(makes_sibling, "");
    while (wait(NULL) > 0) {}
    return verdict(leaked);
}

int attack_tiocsti(int argc, char **argv) {  // on a terminal of its own: nobody's shell gets the byte
    (void)argc, (void)argv;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) return verdict(false);
    const char *name = ptsname(master);
    int ends[2];
    if (pipe(ends) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) {
        setsid();
        int slave = open(name, O_RDWR);
        ioctl(slave, TIOCSCTTY, 0);
        char byte = 'x';
        bool leaked = ioctl(slave, TIOCSTI, &byte) == 0;
        leaked |= syscall(SYS_ioctl, slave, 0x100000000UL | TIOCSTI, &byte) == 0;
        leaked |= syscall(SYS_ioctl, 0x100000000UL | (unsigned)slave, TIOCSTI, &byte) == 0;
        _exit(leaked ? 42 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return verdict(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
