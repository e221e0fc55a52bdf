// serve: the server of the network workloads. Answers every request for anything with the same kilobyte, and keeps the
// connection. It stays outside: what is measured is the client. Prints the port it was given, and dies with its parent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY = 1024, MOST = 1024 };

// Requests of a connection have no body and are not pipelined, so a blank line at the end of what came is a whole one.
static int serve(int client, const char *answer, size_t size) {
    static char request[MOST][4096];
    static size_t have[MOST];
    ssize_t got = recv(client, request[client] + have[client], sizeof *request - have[client], 0);
    if (got > 0) have[client] += (size_t)got;
    size_t end = have[client];
    if (got > 0 && end < 4) return 0;
    if (got > 0 && end < sizeof *request && memcmp(request[client] + end - 4, "\r\n\r\n", 4)) return 0;
    have[client] = 0;
    return got > 0 && send(client, answer, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    char answer[BODY + 256];
    int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", BODY);
    memset(answer + head, 'x', BODY);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    if (bind(server, (struct sockaddr *)&address, length) || listen(server, 4096)) return 1;
    getsockname(server, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event watch = {.events = EPOLLIN, .data.fd = server}, ready[64];
    epoll_ctl(poll, EPOLL_CTL_ADD, server, &watch);
    for (;;) {
        int n = epoll_wait(poll, ready, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd != server) {
                if (serve(fd, answer, (size_t)head + BODY)) close(fd);
                continue;
            }
            watch.data.fd = accept(server, 0, 0);
            if (watch.data.fd >= MOST) close(watch.data.fd);
            else if (watch.data.fd >= 0) epoll_ctl(poll, EPOLL_CTL_ADD, watch.data.fd, &watch);
        }
    }
}
