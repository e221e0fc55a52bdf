// Calls that a rule may ask about, and what came of each.
#include "sockets.h"

/// `removes N FILE`: FILE0 to FILEN-1, until one stays.
int tool_removes(int argc, char **argv) {
    char path[PATH_MAX];
    for (int i = 0; i < atoi(argument(argc, argv, 1)); i++) {
        snprintf(path, sizeof path, "%s%d", argument(argc, argv, 2), i);
        if (unlink(path) < 0) return perror(path), 1;
    }
    return 0;
}

/// `sends PORT OTHER`: on loopback, by every call that takes an address.
int tool_sends(int argc, char **argv) {
    struct sockaddr_in to[2] = {v4(INADDR_LOOPBACK, atoi(argument(argc, argv, 1))), v4(INADDR_LOOPBACK, atoi(argument(argc, argv, 2)))};
    struct sockaddr_in any = v4(INADDR_LOOPBACK, 0);
    struct iovec text = {"x", 1};
    struct mmsghdr m[2] = {0};
    for (int i = 0; i < 2; i++) m[i].msg_hdr = (struct msghdr){.msg_name = to + i, .msg_namelen = sizeof to[i], .msg_iov = &text, .msg_iovlen = 1};
    int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    result("connect", connect(tcp, AT(to[0])));
    result("bind", bind(socket(AF_INET, SOCK_STREAM, 0), AT(any)));
    result("sendto", sendto(udp, "x", 1, 0, AT(to[0])));
    result("sendmsg", sendmsg(udp, &m[0].msg_hdr, 0));
    int sent = sendmmsg(udp, m, 2, 0);
    say("sendmmsg: %d of %u", sent, m[0].msg_len);
    say("sendmmsg: %d, the rest", sent > 0 ? sendmmsg(udp, m + sent, 2 - (unsigned)sent, 0) : sent);
    return 0;
}
