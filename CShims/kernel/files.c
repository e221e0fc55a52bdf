#include "CShims.h"
#include <dirent.h>
#include <ftw.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static __thread unsigned left;
static int look(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)path;
    (void)at;
    return S_ISSOCK(st->st_mode) || kind == FTW_DNR || kind == FTW_NS || left-- == 0;
}

int sbx_may_hold_socket(const char *folder) {
    left = 100000;
    return nftw(folder, look, 32, FTW_PHYS) != 0;
}

int sbx_lies_in_memory(const char *path) {
    struct statfs s;
    return statfs(path, &s) == 0 && (s.f_type == TMPFS_MAGIC || s.f_type == HUGETLBFS_MAGIC);
}

// Numbers without a disk behind them are given to others later.
int sbx_lies_on_disk(int fd, dev_t device) {
    struct statfs s;
    return major(device) != 0 && fstatfs(fd, &s) == 0 &&
           (s.f_type == EXT4_SUPER_MAGIC || s.f_type == XFS_SUPER_MAGIC || s.f_type == F2FS_SUPER_MAGIC);
}

// A folder as it is, not where a link in its place leads, nor what is mounted there.
static int open_folder(int dir, const char *name) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

// Removes what is in `folder`, which it closes, but for folders that are not empty: those come up into `top`, if there is one, by names
// that nobody has. True where something has gone or moved.
static int empty(int folder, int top) {
    DIR *stream = fdopendir(folder);
    if (!stream) {
        close(folder);
        return 0;
    }
    static atomic_ulong count;
    int has_changed = 0;
    for (struct dirent *entry; (entry = readdir(stream));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0) {
            has_changed = 1;
        } else if (top >= 0) {
            char own[64];
            snprintf(own, sizeof own, ".removed-%d-%lu", getpid(), atomic_fetch_add(&count, 1));
            has_changed |= renameat2(folder, name, top, own, RENAME_NOREPLACE) == 0;
        } else {
            int inner = open_folder(folder, name);
            if (inner >= 0) has_changed |= empty(inner, folder);
        }
    }
    closedir(stream);
    return has_changed;
}

// Level by level, each folder held while it is emptied: by its path somebody else's folder could be met, whoever may write here. So deep
// that no path leads there is no matter.
void sbx_remove_tree(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    char *parent = strndup(path, (size_t)(name - path));
    int above = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(parent);
    for (int i = 0; above >= 0 && i < 100000; i++) {
        if (unlinkat(above, name, AT_REMOVEDIR) == 0) break;
        int folder = open_folder(above, name);
        if (folder < 0 || !empty(folder, -1)) break;
    }
    if (above >= 0) close(above);
}
