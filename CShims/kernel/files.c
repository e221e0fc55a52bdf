#include "CShims.h"
#include <ftw.h>

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)at;
    return kind == FTW_DP || kind == FTW_DNR ? (rmdir(path), 0) : (unlink(path), 0);
}

void sbx_remove_tree(const char *path) { nftw(path, drop, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }
