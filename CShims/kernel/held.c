// What processes hold and where that leads: descriptors and shared mappings.
#include <ctype.h>
#include <dirent.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "sbx_calls.h"
#include "sbx_held.h"

static int add(struct sbx_held_list *list, struct sbx_held h) {
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct sbx_held *more = realloc(list->items, room * sizeof *more);
        if (!more) return -ENOMEM;
        list->items = more;
        list->room = room;
    }
    list->items[list->count++] = h;
    return 0;
}

// The mode of a link in /proc/PID/fd says how it was opened (proc(5)); what it leads to is looked at without opening it.
int sbx_held_descriptors(const char *folder, struct sbx_held_list *list) {
    DIR *d = opendir(folder);
    if (!d) return -errno;
    struct dirent *e;
    int result = 0;
    while (result == 0 && (e = readdir(d))) {
        if (!isdigit((unsigned char)e->d_name[0])) continue;
        struct stat link, to;
        if (fstatat(dirfd(d), e->d_name, &link, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(dirfd(d), e->d_name, &to, SBX_AT_STATX_DONT_SYNC) < 0) continue;
        int access = (link.st_mode & 0400 ? SBX_HELD_READS : 0) | (link.st_mode & 0200 ? SBX_HELD_WRITES : 0);
        if (access == 0) continue;  // O_PATH
        result = add(list, (struct sbx_held){.access = access, .mode = to.st_mode, .fd = atoi(e->d_name), .device = to.st_dev,
                                             .inode = to.st_ino, .special = to.st_rdev});
    }
    closedir(d);
    return result;
}

// `address perms offset dev inode path`, proc_pid_maps(5); an s as the fourth permission is a shared mapping. A private one of a
// file shows what is written to the file later, mmap(2).
int sbx_held_mappings(int pid, struct sbx_held_list *list) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "re");
    if (!f) return -errno;
    char *line = NULL;
    size_t size = 0;
    int result = 0;
    unsigned long long last = 0;
    while (result == 0 && getline(&line, &size, f) > 0) {
        char perms[5];
        unsigned major, minor;
        unsigned long long inode;
        int at = 0;
        if (sscanf(line, "%*x-%*x %4s %*x %x:%x %llu %n", perms, &major, &minor, &inode, &at) < 4 || inode == 0) continue;
        int shared = perms[3] == 's';
        if (!shared && inode == last) continue;  // another part of the same
        last = shared ? 0 : inode;
        struct sbx_held h = {.access = SBX_HELD_READS | (shared && perms[1] == 'w' ? SBX_HELD_WRITES : 0),
                             .fd = shared ? SBX_HELD_SHARED : SBX_HELD_PRIVATE, .mode = S_IFREG, .device = makedev(major, minor),
                             .inode = inode};
        line[strcspn(line, "\n")] = 0;
        struct stat st;
        // Some file systems number their files in another way here.
        if (line[at] == '/' && stat(line + at, &st) == 0 && st.st_ino == inode) {
            if (!S_ISREG(st.st_mode)) continue;  // a device's memory
            h.device = st.st_dev;
        }
        result = add(list, h);
    }
    free(line);
    fclose(f);
    return result;
}

int sbx_same_memory(int a, int b) {
    long order = syscall(SYS_kcmp, a, b, (long)KCMP_VM, 0l, 0l);
    return order < 0 ? -errno : order == 0;
}

int sbx_share(int a, int b) {
    int memory = sbx_same_memory(a, b);
    return memory ? memory : syscall(SYS_kcmp, a, b, (long)KCMP_FILES, 0l, 0l) == 0;
}

int sbx_same_file(int a, int fd_a, int b, int fd_b) {
    long order = syscall(SYS_kcmp, a, b, (long)KCMP_FILE, (long)fd_a, (long)fd_b);
    return order < 0 ? -errno : order == 0;
}

uint64_t sbx_device(unsigned major, unsigned minor) { return makedev(major, minor); }

int sbx_memory_file(void) { return (int)sbx_ret(syscall(SYS_memfd_create, "", 3 /* MFD_CLOEXEC | MFD_ALLOW_SEALING */)); }

int sbx_seal(int fd) { return (int)sbx_ret(fcntl(fd, 1033 /* F_ADD_SEALS */, 15 /* SEAL, SHRINK, GROW, WRITE */)); }

// Calls that a shell sleeps in while it has nothing to do.
int sbx_is_wait(long call) {
    switch (call) {
    case SYS_read: case SYS_readv: case SYS_wait4: case SYS_waitid: case SYS_ppoll: case SYS_pselect6: case SYS_recvfrom:
    case SYS_recvmsg: case SYS_epoll_pwait: case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait: case SYS_futex: case SYS_accept4: case SYS_accept:
#ifdef SYS_poll
    case SYS_poll: case SYS_select: case SYS_pause: case SYS_epoll_wait:
#endif
        return 1;
    default: return 0;
    }
}

uint64_t sbx_birth(int dir, const char *path, uint64_t *device, uint64_t *inode) {
    struct statx s;
    if (statx(dir, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BTIME | STATX_INO, &s) < 0) return 0;
    *device = makedev(s.stx_dev_major, s.stx_dev_minor);
    *inode = s.stx_ino;
    return s.stx_mask & STATX_BTIME ? (uint64_t)s.stx_btime.tv_sec * 1000000000u + s.stx_btime.tv_nsec : 0;
}
