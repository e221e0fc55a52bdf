// Races: what was looked at is changed before it is used. Each opens its own file next to the secret, again and again,
// while somebody else changes what the name, the descriptor or the folder means.
#include "guest.h"

static char *shared;                 // a path that a second thread or process rewrites
static const char *allowed_path = "allowed", *secret_path;
static _Atomic bool *stop;

static void set_up(const char *secret) {
    enter_scratch();
    put("allowed", "public\n");
    secret_path = secret;
    shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    stop = (void *)(shared + 4096);
    strcpy(shared, allowed_path);
}

static int finish(bool leaked) { *stop = true; leave_scratch(); return verdict(leaked); }

static void *rewrite(void *unused) {
    while (!*stop) { strcpy(shared, secret_path); strcpy(shared, allowed_path); }
    return unused;
}

static bool open_often(void) {
    double since = now();
    for (int i = 0; !overdue(i, since); i++) {
        int fd;
        switch (i % 3) {
            case 0: fd = (int)syscall(SYS_openat, AT_FDCWD, shared, O_RDONLY | O_CLOEXEC); break;
#ifdef SYS_open
            case 1: fd = (int)syscall(SYS_open, shared, O_RDONLY | O_CLOEXEC); break;
#endif
            default: { uint64_t how[3] = {O_RDONLY | O_CLOEXEC, 0, 0}; fd = (int)syscall(SYS_openat2, AT_FDCWD, shared, how, sizeof how); }
        }
        if (shows_secret(fd)) return true;
    }
    return false;
}

int attack_race_path_thread(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    pthread_t thread;
    start(&thread, rewrite, NULL);
    bool leaked = open_often();
    *stop = true;
    pthread_join(thread, NULL);
    return finish(leaked);
}

int attack_race_path_process(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    pid_t child = fork();
    if (child == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); rewrite(NULL); _exit(0); }
    bool leaked = open_often();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

/// Runs `change` in another process while `look` is tried; `change` may fail as often as it likes.
static int race_with(void (*change)(void), bool (*look)(void)) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        double since = now();
        while (!*stop && now() - since < 2 * SECONDS) change();
        _exit(0);
    }
    double since = now();
    bool leaked = false;
    for (int i = 0; !leaked && !overdue(i, since); i++) leaked = look();
    *stop = true;
    waitpid(child, NULL, 0);
    return finish(leaked);
}

static void swap_links(void) { rename("to-secret", "point"), symlink(secret_path, "to-secret"), rename("to-allowed", "point"), symlink("allowed", "to-allowed"); }
static bool look_point(void) { return opens_secret("point"); }
int attack_race_symlink(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    symlink(secret_path, "to-secret"), symlink("allowed", "to-allowed"), symlink("allowed", "point");
    return race_with(swap_links, look_point);
}

static char secret_folder[PATH_MAX], secret_name[256];
static void split_secret(void) {
    snprintf(secret_folder, sizeof secret_folder, "%s", secret_path);
    char *slash = strrchr(secret_folder, '/');
    if (!slash) die("the secret's path must be absolute");
    snprintf(secret_name, sizeof secret_name, "%s", slash + 1);
    *slash = 0;
}

static void exchange_folders(void) { renameat2(AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE); }
static bool look_here(void) {
    char path[300];
    snprintf(path, sizeof path, "here/%s", secret_name);
    return opens_secret(path);
}
int attack_race_dir_exchange(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    split_secret();
    char path[300];
    mkdir("here", 0755), symlink(secret_folder, "there");
    snprintf(path, sizeof path, "here/%s", secret_name);
    put(path, "public\n");
    return race_with(exchange_folders, look_here);
}

static int folders[2], moving;
static void *swap_descriptor(void *unused) {
    while (!*stop) { dup2(folders[0], moving); dup2(folders[1], moving); }
    return unused;
}
int attack_race_dirfd(int argc, char **argv) {
    // The descriptors are of two folders that may both be opened, above the denied one and above a like-named one of ours:
    // were the denied folder itself pinned, that open would be refused and nothing raced.
    set_up(argument(argc, argv, 1));
    split_secret();
    char path[PATH_MAX + 8], *inner = strrchr(secret_folder, '/');
    mkdir("own", 0755);
    snprintf(path, sizeof path, "own%s", inner), mkdir(path, 0755);
    snprintf(path, sizeof path, "own%s/%s", inner, secret_name), put(path, "public\n");
    snprintf(path, sizeof path, "%s/%s", inner + 1, secret_name);
    *inner = 0;
    folders[0] = open("own", O_PATH | O_DIRECTORY), folders[1] = open(secret_folder, O_PATH | O_DIRECTORY);
    if (folders[0] < 0 || folders[1] < 0) die("both folders above have to be allowed");
    moving = dup(folders[0]);
    pthread_t thread;
    start(&thread, swap_descriptor, NULL);
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) leaked = shows_secret(openat(moving, path, O_RDONLY | O_CLOEXEC));
    *stop = true;
    pthread_join(thread, NULL);
    return finish(leaked);
}

static void *change_folder(void *unused) {
    char own[PATH_MAX + 8];
    snprintf(own, sizeof own, "%s/own", scratch);
    while (!*stop) { if (chdir(own) < 0 || chdir(secret_folder) < 0) sched_yield(); }
    return unused;
}
int attack_race_chdir(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    split_secret();
    mkdir("own", 0755);
    char path[300];
    snprintf(path, sizeof path, "own/%s", secret_name);
    put(path, "public\n");
    pthread_t thread;
    start(&thread, change_folder, NULL);
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) leaked = opens_secret(secret_name);
    *stop = true;
    pthread_join(thread, NULL);
    return finish(leaked);
}

// Programs: FORBIDDEN is a copy of this program under that name, which prints SECRET when it is started.

static bool start_and_look(int threads) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    char *line[] = {"guest", "exit", "0", NULL}, *environment[] = {NULL};
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1), dup2(open("/dev/null", O_WRONLY), 2);
        alarm(5);
        pthread_t thread;
        for (int i = 0; i < threads; i++) start(&thread, rewrite, NULL);
        for (int i = 0; i < 50; i++) execve(shared, line, environment);
        _exit(0);
    }
    close(ends[1]);
    bool leaked = output_has_secret(ends[0]);
    waitpid(child, NULL, 0);
    return leaked;
}

static void own_program(const char *path) {
    char exe[PATH_MAX] = "";
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) die("own program");
    if (symlink(exe, path) < 0) die("link to own program");
}

int attack_race_exec_path(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    own_program("program");
    allowed_path = "program";
    strcpy(shared, allowed_path);
    bool leaked = false;
    double since = now();
    for (int i = 0; i < 300 && !leaked && !overdue(i, since); i++) leaked = start_and_look(1);
    return finish(leaked);
}

static bool look_script(void) { strcpy(shared, "./script"); return start_and_look(0); }
int attack_race_exec_script_symlink(int argc, char **argv) {
    set_up(argument(argc, argv, 1));
    unlink("allowed");
    own_program("allowed");
    symlink(secret_path, "to-secret"), symlink("allowed", "to-allowed"), symlink("allowed", "point");
    put("script", "#!./point exit\n"), chmod("script", 0755);
    return race_with(swap_links, look_script);
}

int attack_race_o_path(int argc, char **argv) {  // a handle to the secret is no crime; what follows from it would be
    set_up(argument(argc, argv, 1));
    pthread_t thread;
    struct stat wanted, got;
    stat(secret_path, &wanted);
    start(&thread, rewrite, NULL);
    bool leaked = false;
    char path[64], empty[1] = "";
    double since = now();
    for (int i = 0, had = 0; !leaked && had < 20 && !overdue(i, since); i++) {
        int fd = open(shared, O_PATH | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &got) == 0 && got.st_ino == wanted.st_ino) {
            had++;
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            leaked = opens_secret(path) || shows_secret(openat(fd, empty, O_RDONLY)) || (linkat(fd, "", AT_FDCWD, "it", AT_EMPTY_PATH) == 0 && opens_secret("it"))
                || (linkat(AT_FDCWD, path, AT_FDCWD, "it2", AT_SYMLINK_FOLLOW) == 0 && opens_secret("it2")) || truncate(path, got.st_size) == 0;
        }
        if (fd >= 0) close(fd);
    }
    *stop = true;
    pthread_join(thread, NULL);
    return finish(leaked);
}
