/*
 * The least that any server can spend on a delivery: one send() of a ready frame to each of many sockets.
 *
 *   send_reference SOCKETS ROUNDS BYTES
 *
 * A child process reads everything. Prints one JSON object with the sender's CPU per send(), user and system.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int good, const char *what) {
    if (good) return;
    perror(what);
    exit(1);
}

static double cpu_seconds(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* The reader: reads `expected` bytes in all from its sockets, and exits with status 0. */
static void drain(struct sockaddr_in to, int sockets, long long expected) {
    static char buffer[1 << 16];
    struct epoll_event events[512];
    int set = epoll_create1(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < sockets; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        check(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to), "connect");
        check(!epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }
    while (expected > 0) {
        int count = epoll_wait(set, events, 512, 10000);
        if (count < 1) _exit(1);
        for (int i = 0; i < count; i++) {
            ssize_t got = recv(events[i].data.fd, buffer, sizeof buffer, 0);
            if (got < 1) _exit(1);
            expected -= got;
        }
    }
    _exit(0);
}

static int listen_on_loopback(struct sockaddr_in *at) {
    socklen_t size = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(fd >= 0 && !bind(fd, (struct sockaddr *)at, sizeof *at) && !listen(fd, 1024), "listen");
    check(!getsockname(fd, (struct sockaddr *)at, &size), "getsockname");
    return fd;
}

int main(int argc, char **argv) {
    check(argc == 4, "usage: send_reference SOCKETS ROUNDS BYTES");
    int sockets = atoi(argv[1]), rounds = atoi(argv[2]), one = 1, status;
    size_t bytes = (size_t)atoi(argv[3]);
    char *frame = calloc(1, bytes);
    int *fds = calloc((size_t)sockets, sizeof *fds);
    struct sockaddr_in at = {0};
    int listener = listen_on_loopback(&at);
    pid_t child = fork();
    check(child >= 0, "fork");
    if (!child) drain(at, sockets, (long long)sockets * rounds * (long long)bytes);
    for (int i = 0; i < sockets; i++) {
        fds[i] = accept(listener, NULL, NULL);
        check(fds[i] >= 0, "accept");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    double cpu = cpu_seconds();
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < sockets; i++)
            check(send(fds[i], frame, bytes, MSG_NOSIGNAL) == (ssize_t)bytes, "send");
    cpu = cpu_seconds() - cpu;
    waitpid(child, &status, 0);
    check(WIFEXITED(status) && !WEXITSTATUS(status), "the reader");
    printf("{\"sends\":%d,\"bytes\":%zu,\"us_per_send\":%.3f}\n", sockets * rounds, bytes,
           cpu * 1e6 / ((double)sockets * rounds));
    return 0;
}
