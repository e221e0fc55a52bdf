// Too much of everything, within bounds: 300 processes, 64 MiB. What is wanted is that whoever supervises them stays well.
#include "guest.h"
#include <sys/shm.h>

static _Atomic int *shared;
static void share_counter(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) die("mmap");
}

/// `bomb N`: every process starts others, until N have been started in all.
int tool_bomb(int argc, char **argv) {
    int most = atoi(argument(argc, argv, 1));
    share_counter();
    while (*shared < most) {
        ++*shared;
        pid_t child = fork();
        if (child < 0) nap_ms(1);
    }
    while (waitpid(-1, NULL, 0) > 0) {}
    return 0;
}

/// Room in a file without a name, which is held and not mapped any more.
static void fill_unnamed(size_t size) {
    int fd = memfd_create("eaten", MFD_CLOEXEC);
    char *memory = ftruncate(fd, (off_t)size) < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) _exit(9);
    memset(memory, 1, size), munmap(memory, size);
}

/// The same behind descriptors that no other thread has.
static void *fills_alone(void *size) {
    if (unshare(CLONE_FILES) < 0) _exit(9);
    fill_unnamed(*(size_t *)size);
    for (;;) pause();
    return NULL;
}

/// Shared memory that nobody is attached to.
static void fill_segment(size_t size) {
    int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    char *memory = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
    if (memory == (char *)-1) _exit(9);
    say("%d", id);
    memset(memory, 1, size), shmdt(memory);
}

static void *waits(void *unused) { for (;;) pause(); return unused; }

/// `eat HOW MIB N`: N children write to MIB each and keep it, as their own, `unnamed` or in a `segment`, whose number each says; says how
/// the first ended, and ends the others.
int tool_eat(int argc, char **argv) {
    const char *how = argument(argc, argv, 1);
    size_t size = (size_t)atoi(argument(argc, argv, 2)) << 20;
    int count = atoi(argument(argc, argv, 3)), status = 0;
    pid_t children[16];
    for (int i = 0; i < count && i < 16; i++) {
        children[i] = fork();
        if (children[i] > 0) continue;
        char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) _exit(9);
        pthread_t rest;
        if (strcmp(how, "unnamed") == 0) fill_unnamed(size);
        else if (strcmp(how, "own-descriptors") == 0) start(&rest, fills_alone, &size);
        else if (strcmp(how, "segment") == 0) fill_segment(size);
        else memset(memory, i + 1, size);
        if (strcmp(how, "second-thread") == 0) start(&rest, waits, NULL), pthread_exit(NULL);
        for (;;) pause();
    }
    wait(&status);
    say_status("one", status);
    for (int i = 0; i < count && i < 16; i++) kill(children[i], SIGKILL);
    while (wait(NULL) > 0) {}
    return 0;
}

static int opens_for_a_while(void *unused) {
    (void)unused;
    for (int i = 0; i < 20000; i++) close(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    _exit(0);
}
/// `lends MIB`: a process with so much memory, and its child in it, which its parent waits for or does not.
int tool_lends(int argc, char **argv) {
    size_t size = (size_t)atoi(argument(argc, argv, 1)) << 20;
    static char stack[65536] __attribute__((aligned(16)));
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    memset(memory, 1, size);
    for (int way = 0; way < 2; way++) {
        int status = -1;
        pid_t child = clone(opens_for_a_while, stack + sizeof stack, CLONE_VM | (way ? 0 : CLONE_VFORK) | SIGCHLD, NULL);
        if (child < 0 || waitpid(child, &status, 0) != child) die("child");
        say_status("lent", status);
    }
    return 0;
}

/// `unreaped N`: N children, one after the other, that nobody waits for until all have ended.
int tool_unreaped(int argc, char **argv) {
    int count = atoi(argument(argc, argv, 1));
    siginfo_t info;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        if (child < 0 || waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) < 0) die("child");
    }
    say("%d", count);
    return 0;
}

/// `threads N`: one process with N threads besides its first; says how many.
int tool_threads(int argc, char **argv) {
    int count = atoi(argument(argc, argv, 1));
    pthread_t thread;
    for (int i = 0; i < count; i++) start(&thread, waits, NULL);
    say("%d", count);
    return 0;
}

/// `crowd N`: N processes at a time that each open, connect and wait for the others; says how many did.
int tool_crowd(int argc, char **argv) {
    int count = atoi(argument(argc, argv, 1)), gate[2];
    share_counter();
    if (pipe2(gate, O_CLOEXEC) < 0) die("pipe");
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child > 0) continue;
        char byte;
        close(gate[1]);
        while (read(gate[0], &byte, 1) < 0) {}  // ends when all have been started
        for (int k = 0; k < 20; k++) close(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
        ++*shared;
        _exit(0);
    }
    close(gate[0]), close(gate[1]);
    while (wait(NULL) > 0) {}
    say("%d", *shared);
    return 0;
}

static void *waits_in_fifo(void *name) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return NULL;
}
static void *waits_in_socket(void *unused) {
    int pair[2];
    char block[4096] = "";
    struct iovec part = {block, sizeof block};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) die("socketpair");
    while (sendmsg(pair[0], &message, MSG_NOSIGNAL) > 0) {}
    return unused;
}
/// `wait-forever N`: N threads in each of an open of a FIFO and a full socket; meanwhile other calls are answered; then it ends.
int tool_wait_forever(int argc, char **argv) {
    int count = atoi(argument(argc, argv, 1));
    pthread_t thread;
    enter_scratch();
    if (mkfifo("fifo", 0600) < 0) die("mkfifo");
    for (int i = 0; i < count; i++) { start(&thread, waits_in_fifo, "fifo"); start(&thread, waits_in_socket, NULL); }
    for (int i = 0; i < 1000; i++) {
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (fd < 0) die("open");
        close(fd);
    }
    leave_scratch();
    say("answered");
    _exit(0);
}

static char *bulk;
static _Atomic int refused;
static void *sends_much(void *several) {
    int pair[2];
    struct iovec part = {bulk, 1 << 20};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) die("socketpair");
    for (;;) {
        long rc = several ? sendmmsg(pair[0], &message, 1, MSG_NOSIGNAL) : sendmsg(pair[0], &message.msg_hdr, MSG_NOSIGNAL);
        if (rc < 0 && errno == ENOBUFS) { refused++; return NULL; }
        if (rc < 0) die("send");
    }
}
/// `hoard N`: N threads that each have 1 MiB under way which nobody takes, all from the same place; says so once one is refused.
int tool_hoard(int argc, char **argv) {
    int count = atoi(argument(argc, argv, 1));
    pthread_t thread;
    bulk = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bulk == MAP_FAILED) die("mmap");
    for (int i = 0; i < count; i++) start(&thread, sends_much, i % 2 ? &refused : NULL);
    alarm(60);
    while (refused == 0) nap_ms(1);
    say("refused");
    _exit(0);
}

/// `makes DIR N`: N empty files with long paths: what fills a journal quickly.
int tool_makes(int argc, char **argv) {
    char name[241];
    if (chdir(argument(argc, argv, 1)) < 0) die("chdir");
    memset(name, 'x', 240), name[240] = 0;
    for (int depth = 0; depth < 4; depth++) if (mkdir(name, 0755) < 0 || chdir(name) < 0) die("mkdir");
    for (int i = 0; i < atoi(argument(argc, argv, 2)); i++) {
        snprintf(name, sizeof name, "file%d", i);
        int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0) die(name);
        close(fd);
    }
    return 0;
}

static size_t mebibyte = 1 << 20;
static void write_file(const char *name, int mib) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < mib; i++) if (fd < 0 || write(fd, bulk, mebibyte) != (ssize_t)mebibyte) die(name);
    close(fd);
}
static void map_file(const char *name, int mib) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *memory = ftruncate(fd, (off_t)mib << 20) < 0 ? MAP_FAILED : mmap(NULL, (size_t)mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) die("mmap");
    memset(memory, 1, (size_t)mib << 20), close(fd);
}
static void set_aside(const char *name, int mib) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || fallocate(fd, 0, 0, (off_t)mib << 20) < 0) die("fallocate");
    close(fd);
}
static int writers_size;
static void *writes_one(void *name) { write_file(name, writers_size); return NULL; }
static void *starts_true(void *unused) { execl("/bin/true", "true", NULL); return unused; }

/// `writes HOW MIB`: 4 times MIB, below the current folder; by children that are waited for, by
/// mappings of theirs, by threads, or by a thread whose place another then takes by starting a program; or set aside and not written.
int tool_writes(int argc, char **argv) {
    const char *how = argument(argc, argv, 1), *const names[] = {"a", "b", "c", "d"};
    int mib = writers_size = atoi(argument(argc, argv, 2));
    pthread_t thread;
    bulk = mmap(NULL, mebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bulk == MAP_FAILED) die("mmap");
    bool threads = strcmp(how, "threads") == 0, replaced = strcmp(how, "replaced") == 0;
    for (int i = 0; i < 4; i++) {
        if (replaced) { write_file(names[i], mib); continue; }
        if (strcmp(how, "reserved") == 0) { set_aside(names[i], mib); continue; }
        if (threads) { start(&thread, writes_one, (void *)names[i]); pthread_join(thread, NULL); continue; }
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) strcmp(how, "mapped") == 0 ? map_file(names[i], mib) : write_file(names[i], mib);
        if (child == 0) _exit(0);
        waitpid(child, NULL, 0);
    }
    // For whoever looks from time to time.
    for (int i = 0; i < 20000; i++) close(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    say("written");
    if (replaced) { start(&thread, starts_true, NULL); for (;;) pause(); }
    return 0;
}
