#include "CShims.h"
#include <ftw.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)at;
    return kind == FTW_DP || kind == FTW_DNR ? (rmdir(path), 0) : (unlink(path), 0);
}

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

void sbx_remove_tree(const char *path) { nftw(path, drop, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }
