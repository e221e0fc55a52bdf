// Unix sockets, descriptors on their way, netlink as the C library uses it, binding.
#include "sockets.h"

static void pass_descriptor(const char *label, int from, int to) {
    int file = open("passed", O_RDONLY);
    char space[CMSG_SPACE(sizeof(int))] = {0}, byte = 'x', text[16] = "";
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(control), &file, sizeof file);
    result(label, sendmsg(from, &message, 0));
    close(file), memset(space, 0, sizeof space);
    if (recvmsg(to, &message, MSG_CMSG_CLOEXEC) != 1 || !(control = CMSG_FIRSTHDR(&message))) { say("  nothing came"); return; }
    memcpy(&file, CMSG_DATA(control), sizeof file);
    if (read(file, text, sizeof text - 1) < 0) die("read");
    say("  came: %s cloexec=%d", text, fcntl(file, F_GETFD));
    close(file);
}

// Who has sent it, as a bus wants to know it.
static void pass_credentials(const char *label, pid_t pid, uid_t user) {
    int pair[2], on = 1;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair), setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    struct ucred who = {pid, user, getgid()};
    char space[CMSG_SPACE(sizeof who)] = {0}, byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof who), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
    memcpy(CMSG_DATA(control), &who, sizeof who);
    result(label, sendmsg(pair[0], &message, 0));
    memset(space, 0, sizeof space);
    if (recvmsg(pair[1], &message, MSG_DONTWAIT) == 1 && (control = CMSG_FIRSTHDR(&message))) {
        memcpy(&who, CMSG_DATA(control), sizeof who);
        say("  user is mine=%d, group is mine=%d", who.uid == getuid(), who.gid == getgid());
    }
    close(pair[0]), close(pair[1]);
}

// The same where nobody says it: some find out so what the process is called that they have started (Chromium's zygote).
static void tell_sender(const char *label, int type) {
    int pair[2], on = 1, pid, status;
    socketpair(AF_UNIX, type, 0, pair), setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    struct ucred who = {0};
    char space[CMSG_SPACE(sizeof who)] = {0}, byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if ((pid = fork()) == 0) _exit(sendmsg(pair[0], &message, MSG_NOSIGNAL) != 1);
    waitpid(pid, &status, 0), say_status(label, status);
    message.msg_control = space, message.msg_controllen = sizeof space;
    struct cmsghdr *control = recvmsg(pair[1], &message, MSG_DONTWAIT) == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (control) memcpy(&who, CMSG_DATA(control), sizeof who);
    say("  sender is my child=%d, user is mine=%d", who.pid == pid, who.uid == getuid());
    close(pair[0]), close(pair[1]);
}

static void local(void) {
    tell_sender("message on a stream", SOCK_STREAM), tell_sender("message on a pair of records", SOCK_SEQPACKET);
    pass_credentials("SCM_CREDENTIALS", getpid(), getuid());
    put("passed", "descriptor");
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair), pass_descriptor("SCM_RIGHTS by socketpair", pair[0], pair[1]), close(pair[0]), close(pair[1]);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), pass_descriptor("SCM_RIGHTS by datagram pair", pair[0], pair[1]), close(pair[0]), close(pair[1]);
    struct sockaddr_un address = un("sock"), missing = un("missing"), file = un("passed"), dir = un(".");
    int listener = bound(AF_UNIX, SOCK_STREAM, AT(address));
    name_of("bind a relative path", listener, false), mode_of("socket", "sock");
    try_connect("unix, relative", AF_UNIX, SOCK_STREAM, AT(address), listener);
    char absolute[PATH_MAX + 8];
    snprintf(absolute, sizeof absolute, "%s/sock", scratch);
    if (strlen(absolute) < sizeof address.sun_path) {
        struct sockaddr_un full = un(absolute);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        result("unix, absolute", connect(fd, AT(full))), close(accept(listener, NULL, NULL)), close(fd);
    } else say("unix, absolute: ok");
    symlink("sock", "to-sock");
    struct sockaddr_un link = un("to-sock"), self = un("/proc/self/cwd/sock");
    try_connect("unix, by a link", AF_UNIX, SOCK_STREAM, AT(link), listener);
    try_connect("unix, by /proc/self/cwd", AF_UNIX, SOCK_STREAM, AT(self), listener);
    try_connect("unix, missing", AF_UNIX, SOCK_STREAM, AT(missing), -1);
    try_connect("unix, a file", AF_UNIX, SOCK_STREAM, AT(file), -1);
    try_connect("unix, a folder", AF_UNIX, SOCK_STREAM, AT(dir), -1);
    try_connect("unix, other type", AF_UNIX, SOCK_DGRAM, AT(address), -1);
    try_connect("unix, no terminating NUL", AF_UNIX, SOCK_STREAM, &address, offsetof(struct sockaddr_un, sun_path) + 4, listener);
    try_connect("unix, length 2", AF_UNIX, SOCK_STREAM, &address, 2, -1);
    try_connect("unix, too long", AF_UNIX, SOCK_STREAM, &address, sizeof address + 1, -1);
    int again = socket(AF_UNIX, SOCK_STREAM, 0);
    result("bind to a name in use", bind(again, AT(address)));
    result("bind over a link", bind(again, AT(link)));
    struct sockaddr_un nowhere = un("nowhere/sock"), below = un("passed/sock"), odd = un("odd\xff name"), long_name = un("");
    result("bind in a missing folder", bind(again, AT(nowhere)));
    result("bind below a file", bind(again, AT(below)));
    umask(077), result("bind an odd name, umask 077", bind(again, AT(odd))), umask(022);
    name_of("its bytes", again, false), mode_of("its mode", "odd\xff name");
    result("bind twice", bind(again, AT(link)));
    close(again);
    memset(long_name.sun_path, 'n', sizeof long_name.sun_path);
    again = socket(AF_UNIX, SOCK_STREAM, 0);
    result("bind 108 bytes without NUL", bind(again, AT(long_name)));
    name_of("its bytes", again, false), close(again);
    chmod("sock", 0);
    try_connect("unix, mode 0", AF_UNIX, SOCK_STREAM, AT(address), geteuid() ? -1 : listener);
    chmod("sock", 0600);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    result("connect", connect(client, AT(address)));
    int server = accept(listener, NULL, NULL);
    pass_descriptor("SCM_RIGHTS by a connection", client, server);
    struct ucred who;
    socklen_t size = sizeof who;
    result("SO_PEERCRED", getsockopt(server, SOL_SOCKET, SO_PEERCRED, &who, &size));
    say("  peer is me: %d %d", who.uid == geteuid(), who.pid == getpid());
    result("SO_PEERCRED of the listener's side", getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &size));
    say("  peer is me: %d %d", who.uid == geteuid(), who.pid == getpid());
    // Handed on, and closed where it was bound.
    int elsewhere = fcntl(listener, F_DUPFD_CLOEXEC, 500);
    close(client), close(server), close(listener);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    result("connect to what was handed on", connect(client, AT(address)));
    server = accept(elsewhere, NULL, NULL);
    pass_descriptor("SCM_RIGHTS to it", client, server);
    close(client), close(server), close(elsewhere);
    try_connect("unix, nobody listens", AF_UNIX, SOCK_STREAM, AT(address), -1);
    struct sockaddr_un hidden = {.sun_family = AF_UNIX};
    int n = snprintf(hidden.sun_path + 1, sizeof hidden.sun_path - 1, "guest-%d", getpid());
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    listener = bound(AF_UNIX, SOCK_STREAM, &hidden, length);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    result("abstract", connect(client, SA(hidden), length));
    result("abstract, other length", connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), SA(hidden), length + 1));
    close(client), close(listener);
    listener = socket(AF_UNIX, SOCK_DGRAM, 0);
    sa_family_t family = AF_UNIX;
    result("autobind", bind(listener, (void *)&family, sizeof family));
    socklen_t got = sizeof hidden;
    getsockname(listener, SA(hidden), &got), say("  length %u, abstract %d", got, hidden.sun_path[0] == 0);
    close(listener);
    struct sockaddr_un dgram = un("dgram");
    listener = bound(AF_UNIX, SOCK_DGRAM, AT(dgram)), client = socket(AF_UNIX, SOCK_DGRAM, 0);
    char text[16] = "";
    result("unix sendto", sendto(client, "post", 4, 0, AT(dgram)));
    say("  arrives %d %s", (int)recv(listener, text, sizeof text - 1, MSG_DONTWAIT), text);
    struct iovec part = {"more", 4};
    struct msghdr message = {.msg_name = &dgram, .msg_namelen = sizeof dgram, .msg_iov = &part, .msg_iovlen = 1};
    result("unix sendmsg", sendmsg(client, &message, 0));
    say("  arrives %d %s", (int)recv(listener, text, sizeof text - 1, MSG_DONTWAIT), text);
    close(client), close(listener);
}

static void lookups(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    say("getaddrinfo localhost: %d", getaddrinfo("localhost", "80", &hints, &found));
    if (found) freeaddrinfo(found);
    struct if_nameindex *interfaces = if_nameindex();
    say("if_nameindex: %s %s", interfaces ? "ok" : outcome(-1), interfaces && interfaces[0].if_name ? interfaces[0].if_name : "");
    if (interfaces) if_freenameindex(interfaces);
    say("lo has index %u", if_nametoindex("lo"));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    result("netlink socket", fd);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    result("netlink bind", bind(fd, AT(kernel)));
    struct { struct nlmsghdr head; struct rtgenmsg body; } request = {{sizeof request, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {AF_UNSPEC}};
    result("netlink sendto", sendto(fd, &request, sizeof request, 0, AT(kernel)));
    char reply[8192];
    struct nlmsghdr *head = (void *)reply;
    long n = recv(fd, reply, sizeof reply, 0);
    say("netlink answer: %d", n > 0 && (head->nlmsg_type == RTM_NEWADDR || head->nlmsg_type == NLMSG_DONE));
    struct iovec part = {&request, sizeof request};
    struct msghdr message = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = &part, .msg_iovlen = 1};
    while (recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0) {}
    result("netlink sendmsg", sendmsg(fd, &message, 0));
    close(fd);
}

static void binding(void) {
    struct sockaddr_in loopback = v4(INADDR_LOOPBACK, 0), zero = v4(0, 0), foreign = v4(0x08080808, 0), low = v4(INADDR_LOOPBACK, 81);
    struct sockaddr_in6 any6 = v6("::", 0);
    const struct { const char *label; int family; void *address; socklen_t length; } all[] = {{"loopback", AF_INET, &loopback, sizeof loopback},
        {"0.0.0.0", AF_INET, &zero, sizeof zero}, {"not ours", AF_INET, &foreign, sizeof foreign}, {"port 81", AF_INET, &low, sizeof low},
        {"::", AF_INET6, &any6, sizeof any6}, {"v6 short", AF_INET6, &any6, 20}, {"v4 on v6", AF_INET6, &zero, sizeof zero}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int fd = socket(all[i].family, SOCK_STREAM, 0);
        result(all[i].label, bind(fd, all[i].address, all[i].length));
        name_of("  name", fd, false);
        result("  listen", listen(fd, 5));
        result("  bind again", bind(fd, all[i].address, all[i].length));
        close(fd);
    }
    int fd = bound(AF_INET, SOCK_STREAM, AT(loopback));
    struct sockaddr_in used = v4(INADDR_LOOPBACK, port_of(fd));
    int other = socket(AF_INET, SOCK_STREAM, 0);
    result("port in use", bind(other, AT(used)));
    result("accept, not blocking", (fcntl(fd, F_SETFL, O_NONBLOCK), accept4(fd, NULL, NULL, SOCK_CLOEXEC)));
    close(fd), close(other);
}

/// A server at every address, as most make theirs: who is on this machine is served. Then it tries to let others in.
int tool_serve_everywhere(int argc, char **argv) {
    (void)argc, (void)argv;
    enum { BIND_TO_INTERFACE = 62 };  // SO_BINDTOIFINDEX
    struct sockaddr_in any = v4(0, 0);
    struct sockaddr_in6 any6 = v6("::", 0);
    const struct { const char *label; int family; void *address; socklen_t length; } all[] = {{"0.0.0.0", AF_INET, &any, sizeof any},
        {"::", AF_INET6, &any6, sizeof any6}, {"not bound", AF_INET, NULL, 0}};
    int none = 0, other = 2;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int fd = socket(all[i].family, SOCK_STREAM | SOCK_CLOEXEC, 0), interface = -1;
        socklen_t n = sizeof interface;
        result(all[i].label, all[i].address ? bind(fd, all[i].address, all[i].length) : 0);
        if (listen(fd, 5) < 0) { result("  listen", -1), close(fd); continue; }
        struct sockaddr_in to = v4(INADDR_LOOPBACK, port_of(fd));
        struct sockaddr_in6 to6 = v6("::1", port_of(fd));
        try_connect("  IPv4", AF_INET, SOCK_STREAM, AT(to), fd);
        if (all[i].family == AF_INET6) try_connect("  IPv6", AF_INET6, SOCK_STREAM, AT(to6), fd);
        getsockopt(fd, SOL_SOCKET, BIND_TO_INTERFACE, &interface, &n);
        say("  interface %d", interface);
        result("  any interface", setsockopt(fd, SOL_SOCKET, BIND_TO_INTERFACE, &none, sizeof none));
        result("  any by name", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
        result("  listen again", listen(fd, 6));
        close(fd);
    }
    for (size_t i = 0; i < 2; i++) {
        int probe = socket(all[i].family, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(all[i].family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        // A free port: without one a datagram socket is nobody's server.
        if (bind(probe, all[i].address, all[i].length) < 0) die("bind");
        any.sin_port = any6.sin6_port = htons(port_of(probe));
        result(i ? "UDP ::" : "UDP 0.0.0.0", bind(fd, all[i].address, all[i].length));
        struct sockaddr none4 = {.sa_family = AF_UNSPEC};
        struct sockaddr_storage own = {0};
        socklen_t n = sizeof own;
        connect(fd, &none4, sizeof none4);
        getsockname(fd, (struct sockaddr *)&own, &n);
        char text[INET6_ADDRSTRLEN] = "";
        const void *address = own.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&own)->sin_addr : &((struct sockaddr_in6 *)&own)->sin6_addr;
        say("  at %s", inet_ntop(own.ss_family, address, text, sizeof text));
        any.sin_port = any6.sin6_port = 0;
        close(probe), close(fd);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result("another interface", setsockopt(fd, SOL_SOCKET, BIND_TO_INTERFACE, &other, sizeof other));
    result("  bind", bind(fd, AT(any)));
    result("  listen there", listen(fd, 5));
    close(fd);
    return 0;
}

int guest_sockets_local(int argc, char **argv) {
    (void)argc, (void)argv;
    local();
    lookups();
    binding();
    return 0;
}
