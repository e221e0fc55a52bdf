// `guest NAME [ARG…]`: small programs that are run natively and inside the sandbox, and must not tell the two apart
// (conformance), or that try to get what a profile denies (attacks).
#include "guest.h"
#include <dirent.h>
#include <ftw.h>
#include <libgen.h>

char scratch[PATH_MAX];

void die(const char *what) { printf("guest broke: %s: %s\n", what, strerror(errno)); fflush(stdout); _exit(99); }

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

const char *outcome(long rc) {
    if (rc >= 0) return "ok";
    const char *name = strerrorname_np(errno);
    return name ? name : "E?";
}

void result(const char *label, long rc) { say("%s: %s", label, outcome(rc)); }

void opened(const char *label, int fd) {
    if (fd < 0) { result(label, fd); return; }
    struct stat st;
    int flags = fcntl(fd, F_GETFL), close_on_exec = fcntl(fd, F_GETFD);
    if (fstat(fd, &st) < 0) die("fstat");
    if (S_ISREG(st.st_mode))
        say("%s: ok flags=%#x cloexec=%d mode=%06o size=%lld links=%d", label, flags, close_on_exec, st.st_mode,
            (long long)st.st_size, (int)st.st_nlink);
    else say("%s: ok flags=%#x cloexec=%d mode=%06o", label, flags, close_on_exec, st.st_mode);
    close(fd);
}

void content(const char *label, const char *path) {
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) { result(label, fd); return; }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) { result(label, n); return; }
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    say("%s: \"%s\"", label, text);
}

void mode_of(const char *label, const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0) { result(label, -1); return; }
    say("%s: mode=%06o links=%d size=%lld own=%d", label, st.st_mode, S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink,
        S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? (long long)st.st_size : 0, st.st_uid == geteuid());
}

void say_status(const char *label, int status) {
    if (WIFEXITED(status)) say("%s: exit %d", label, WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) say("%s: signal %d", label, WTERMSIG(status));
    else if (WIFSTOPPED(status)) say("%s: stopped %d", label, WSTOPSIG(status));
    else if (WIFCONTINUED(status)) say("%s: continued", label);
    else say("%s: status %#x", label, status);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)st, (void)type, (void)walk;
    remove(path);
    return 0;
}
static int unlock_entry(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)st, (void)walk;
    if (type == FTW_D || type == FTW_DNR) chmod(path, 0700);
    return 0;
}

void remove_tree(const char *path) {
    for (int round = 0; round < 3; round++) {
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        if (access(path, F_OK) < 0) return;
        nftw(path, unlock_entry, 16, FTW_PHYS);  // an ordinary account has to open what it locked
    }
}

void enter_scratch(void) {
    char name[] = "guest.XXXXXX";
    umask(022);
    if (!mkdtemp(name) || chdir(name) < 0 || !getcwd(scratch, sizeof scratch)) die("scratch directory");
    chmod(".", 0755);
}

void leave_scratch(void) { if (chdir(scratch) == 0 && chdir("..") == 0) remove_tree(scratch); }

void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) die(path);
    close(fd);
}

char *unmapped_edge(size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (length + page - 1) / page * page;
    char *base = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) die("mmap");
    munmap(base + whole, page);
    return base + whole - length;
}

double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void nap_ms(int ms) { poll(NULL, 0, ms); }

void start(pthread_t *thread, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    errno = pthread_create(thread, &attributes, body, argument);
    if (errno) die("pthread_create");
}

int verdict(bool leaked) { say(leaked ? "leaked" : "held"); return 0; }

bool shows_secret(int fd) {
    char text[6];
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return n == 6 && memcmp(text, "SECRET", 6) == 0;
}

bool opens_secret(const char *path) { return shows_secret(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)); }

bool output_has_secret(int fd) {
    char text[4096];
    size_t have = 0;
    ssize_t n;
    while (have < sizeof text && (n = read(fd, text + have, sizeof text - have)) > 0) have += (size_t)n;
    close(fd);
    return memmem(text, have, "SECRET", 6) != NULL;
}

bool overdue(int tries, double since) { return tries >= TRIES || now() - since > SECONDS; }

const char *argument(int argc, char **argv, int index) {
    if (index >= argc) { fprintf(stderr, "guest %s: argument %d is missing\n", argv[0], index); exit(98); }
    return argv[index];
}

static const struct guest *find(const struct guest *list, const char *name) {
    for (; list->name; list++) if (strcmp(list->name, name) == 0) return list;
    return NULL;
}

static int list(const struct guest *table) {
    for (; table->name; table++) say("%s%s%s", table->name, *table->arguments ? " " : "", table->arguments);
    return 0;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    // A program that the profile does not let start: if this line shows, it was started.
    char exe[PATH_MAX] = "";
    if (argc > 0 && readlink("/proc/self/exe", exe, sizeof exe - 1) > 0 && strcmp(basename(exe), "forbidden") == 0)
        return say("SECRET started"), 0;
    if (argc < 2) { fprintf(stderr, "usage: guest NAME [ARG…] | guest list conformance|attacks|tools\n"); return 98; }
    if (strcmp(argv[1], "list") == 0 && argc > 2)
        return list(argv[2][0] == 'c' ? conformance : argv[2][0] == 'a' ? attacks : tools);
    const struct guest *guest;
    if ((guest = find(conformance, argv[1]))) {
        signal(SIGPIPE, SIG_IGN);
        alarm(120);  // whatever hangs, hangs for two minutes at the most
        enter_scratch();
        int rc = guest->run(argc - 1, argv + 1);
        leave_scratch();
        return rc;
    }
    if ((guest = find(attacks, argv[1]))) { signal(SIGPIPE, SIG_IGN); alarm(60); }
    else if (!(guest = find(tools, argv[1]))) { fprintf(stderr, "guest: no guest `%s`\n", argv[1]); return 98; }
    return guest->run(argc - 1, argv + 1);
}
