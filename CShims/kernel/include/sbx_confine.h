// A program takes away from itself what it does not need, before it meets hostile bytes.
#ifndef SBX_CONFINE_H
#define SBX_CONFINE_H

struct sbx_confinement {
    // Files, and folders with all that is below them; NULL at the end. What is not there is left out.
    const char *const *reads;
    // A folder in which it may write, too; or NULL.
    const char *writes;
    // It may connect somewhere.
    int network;
};

// no_new_privs, not dumpable, limits, Landlock where there is one, and the system calls that are left. The calling thread and all
// that it starts: to be called while it is the only one. -errno: nothing hostile may be looked at.
int sbx_confine(const struct sbx_confinement *c);
#endif
