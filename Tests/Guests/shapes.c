// Processes of uncommon shapes: whose first thread has ended, whose threads have descriptors of their own, which are stopped in the
// middle of a call, or start a program in the middle of their other threads' calls.
#include "guest.h"
#include "sockets.h"

static int reap(pid_t pid) { int status = -1; while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {} return status; }

/// The status of a child, or -1 where there is none in ten seconds.
static int status_in_time(pid_t child, int how) {
    int status = -1;
    for (double since = now(); waitpid(child, &status, how | WNOHANG) != child; nap_ms(1)) if (now() - since > 10) return -1;
    return status;
}

static _Atomic int waiting;
static void *opens_fifo(void *unused) { waiting++; close(open("fifo", O_RDONLY)); return unused; }

/// A stop is for all threads: also for those that wait in an open(2), while another one takes the signal.
static void stops(void) {
    int stopped = 0, killed = 0;
    if (mkfifo("fifo", 0600) < 0) die("mkfifo");
    fflush(stdout);
    for (int i = 0; i < 20; i++) {
        int ends[2];
        if (pipe(ends) < 0) die("pipe");
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            for (int k = 0; k < 3; k++) start(&thread, opens_fifo, NULL);
            while (waiting < 3) nap_ms(1);
            if (write(ends[1], "x", 1) != 1) _exit(1);
            if (i % 2) pthread_exit(NULL);
            opens_fifo(NULL);
        }
        char byte;
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 1) die("read");
        close(ends[0]);
        kill(child, SIGSTOP);
        int status = status_in_time(child, WUNTRACED);
        stopped += status != -1 && WIFSTOPPED(status);
        kill(child, SIGCONT), kill(child, SIGKILL);
        status = reap(child);
        killed += WIFSIGNALED(status);
    }
    say("stopped: %d, killed: %d", stopped, killed);
    unlink("fifo");
}

static _Atomic int made;
static _Atomic bool ready;
static void *makes_children(void *unused) {
    while (!ready) sched_yield();
    for (int i = 0; i < 50; i++, made++) if (vfork() == 0) _exit(0);
    return unused;
}
static void *starts_reaper(void *program) {
    while (made < 8) sched_yield();
    execl(program, "guest", "reap-all", NULL);
    _exit(1);
    return NULL;
}

/// What other threads are making when a thread starts a program are the new program's children, and live.
static void children_of_the_replaced(void) {
    int fine = 0;
    char program[PATH_MAX] = "";
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) die("readlink");
    fflush(stdout);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            start(&thread, starts_reaper, program);
            for (int k = 0; k < 8; k++) start(&thread, makes_children, NULL);
            ready = true;
            if (i % 2) pthread_exit(NULL);
            for (;;) pause();
        }
        fine += reap(child) == 0;
    }
    say("replaced among their children: %d", fine);
}

/// `reap-all`: waits for all children; fails where one does not end in three seconds.
int tool_reap_all(int argc, char **argv) {
    (void)argc, (void)argv;
    pid_t found;
    for (double since = now(); (found = waitpid(-1, NULL, __WALL | WNOHANG)) >= 0; ) {
        if (found == 0 && now() - since > 3) return 5;
        if (found == 0) nap_ms(1);
    }
    return 0;
}

static void pass(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char byte = 'x', room[CMSG_SPACE(sizeof(int))] = "", text[8] = "";
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(name.sun_path, path);
    result("bind", bind(server, (struct sockaddr *)&name, sizeof name));
    result("listen", listen(server, 1));
    result("connect", connect(client, (struct sockaddr *)&name, sizeof name));
    int end = accept(server, NULL, NULL), file = open("file", O_RDONLY | O_CLOEXEC);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(header), &file, sizeof file);
    result("pass", sendmsg(client, &message, 0));
    result("take", recvmsg(end, &message, MSG_DONTWAIT));
    if ((header = CMSG_FIRSTHDR(&message))) memcpy(&file, CMSG_DATA(header), sizeof file);
    say("passed: %s", pread(file, text, 7, 0) == 7 ? text : "nothing");
    close(server), close(client), close(end), close(file), unlink(path);
}
static void *passes_alone(void *unused) {
    for (int i = 0; i < 4; i++) if (open("file", O_RDONLY | O_CLOEXEC) < 0) die("file");  // the numbers are another's elsewhere
    if (unshare(CLONE_FILES) < 0) die("unshare");
    pass("own");
    return unused;
}
static void *passes_for_the_dead(void *leader) {
    pthread_join(*(pthread_t *)leader, NULL);
    pass("left");
    if (fork() == 0) { execl("/bin/true", "true", NULL); _exit(1); }
    int status = -1;
    wait(&status);
    say_status("child of whose first thread has ended", status);
    close(open("made", O_CREAT | O_RDWR | O_CLOEXEC, 0644));
    mode_of("made", "made");
    exit(7);
}

int guest_shapes(int argc, char **argv) {
    (void)argc, (void)argv;
    put("file", "content");
    pthread_t thread;
    start(&thread, passes_alone, NULL), pthread_join(thread, NULL);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        static pthread_t self;
        self = pthread_self();
        start(&thread, passes_for_the_dead, &self);
        pthread_exit(NULL);
    }
    say_status("without its first thread", reap(child));
    stops();
    children_of_the_replaced();
    return 0;
}

static int ends[2], connection;
static bool isAlone;
static double until;
static pthread_attr_t small;
static _Atomic bool runs;
static void *passes_on(void *unused) {
    struct pollfd look = {.fd = ends[0], .events = POLLIN};
    if (isAlone && !runs && unshare(CLONE_FILES) < 0) _exit(9);
    runs = true;
    if (poll(&look, 1, 0) == 1 || now() > until) {
        char bytes[64];
        ssize_t n = look.revents & POLLIN ? read(ends[0], bytes, sizeof bytes) : 0;
        _exit(n > 0 && write(connection, bytes, (size_t)n) == n ? 0 : 1);
    }
    pthread_t next;
    while (pthread_create(&next, &small, passes_on, NULL) != 0) {}
    syscall(SYS_exit, 0);  // at once, whatever pthread_exit(3) would do
    return unused;
}

/// `relay FILE PORT [own]`: a process is connected to PORT, and has no thread that is there for long: each starts the next one. FILE is read
/// by another, and given to it. `own`: the first stays, but the others have descriptors of their own.
int tool_relay(int argc, char **argv) {
    char path[64], bytes[64], line[512] = "";
    isAlone = argc > 3, until = now() + 10;
    pthread_attr_init(&small), pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED), pthread_attr_setstacksize(&small, 16384);
    if (pipe(ends) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) {
        struct sockaddr_in to = v4(INADDR_LOOPBACK, atoi(argument(argc, argv, 2)));
        pthread_t first;
        close(ends[1]);
        if ((connection = socket(AF_INET, SOCK_STREAM, 0)) < 0 || connect(connection, AT(to)) < 0) die("connect");
        if (pthread_create(&first, &small, passes_on, NULL) != 0) die("pthread_create");
        if (!isAlone) syscall(SYS_exit, 0);
        while (!runs) sched_yield();
        for (close(connection), close(ends[0]);;) pause();
    }
    close(ends[0]);
    // Its first thread has ended, if it ever does, and the others are on their way.
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    for (int i = 0; i < 200 || (!isAlone && i < 5000 && !strstr(line, ") Z ")); i++, nap_ms(1)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, line, sizeof line - 1) < 0) die("stat");
        close(fd);
    }
    int fd = open(argument(argc, argv, 1), O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    if (n > 0 && write(ends[1], bytes, (size_t)n) != n) die("write");
    close(ends[1]);
    say_status("relay", reap(child));
    return 0;
}
