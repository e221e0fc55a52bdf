// What there is to run.
#include "guest.h"

#define GUEST(function) int function(int argc, char **argv);
GUEST(guest_open_create) GUEST(guest_open_paths) GUEST(guest_open_magic) GUEST(guest_openat2) GUEST(guest_names)
GUEST(guest_fifo) GUEST(guest_signals) GUEST(guest_limits) GUEST(guest_processes) GUEST(guest_sockets) GUEST(guest_sockets_local)

const struct guest conformance[] = {
    {"open-create", guest_open_create, ""}, {"open-paths", guest_open_paths, ""}, {"open-magic", guest_open_magic, ""},
    {"openat2", guest_openat2, ""}, {"names", guest_names, ""}, {"fifo", guest_fifo, ""}, {"signals", guest_signals, ""},
    {"limits", guest_limits, ""}, {"processes", guest_processes, ""}, {"sockets", guest_sockets, ""},
    {"sockets-local", guest_sockets_local, ""}, {NULL, NULL, NULL},
};
const struct guest attacks[] = {{NULL, NULL, NULL}};

static int tool_exit(int argc, char **argv) { return atoi(argument(argc, argv, 1)); }
static int tool_count(int argc, char **argv) {
    size_t bytes = 0;
    for (int i = 1; i < argc; i++) bytes += strlen(argv[i]);
    say("%d arguments, %zu bytes", argc - 1, bytes);
    return 0;
}
const struct guest tools[] = {{"exit", tool_exit, "N"}, {"count-arguments", tool_count, "ARG…"}, {NULL, NULL, NULL}};
