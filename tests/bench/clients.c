/* The client sockets of the load generator: two epoll sets, upgrades and buffers. */
#define _GNU_SOURCE
#include "clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dialects/dialect.h"
#include "websocket.h"

#define INBOX (1 << 20)
#define EVENTS 512
#define ATTEMPTS_MAX 40
#define RETRY_NS 250000000ull
#define LATER_NS 1000000000ull

uint64_t refused;

/* Most sockets of a fan-out are read once a second, many frames at a time: a generator that is woken for each
   delivery uses half as much CPU as the server. */
static int prompt_set = -1, later_set = -1, server_port;
static uint64_t rest_read_ns;
static uint32_t opened, in_progress;
static const struct dialect *dialect;
static frame_handler *on_frame;
static char inbox[INBOX];

uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void die(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, rest);
    fputc('\n', stderr);
    va_end(rest);
    exit(1);
}

/* Edge-triggered: the kernel needn't look again at each socket that was just read. */
static void watch(int operation, struct client *client, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLRDHUP | EPOLLET, .data.ptr = client};
    if (epoll_ctl(client->later ? later_set : prompt_set, operation, client->fd, &event))
        die("epoll_ctl: %s", strerror(errno));
}

void read_later(struct client *client) {
    epoll_ctl(prompt_set, EPOLL_CTL_DEL, client->fd, NULL);
    client->later = 1;
    watch(EPOLL_CTL_ADD, client, EPOLLIN);
}

/* Sends what the kernel takes now; the rest waits for EPOLLOUT. */
static void put(struct client *client, const char *bytes, size_t length) {
    ssize_t taken = 0;
    if (!client->out_len) taken = send(client->fd, bytes, length, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) die("user %s: send: %s", client->user, strerror(errno));
    if (taken < 0) taken = 0;
    if ((size_t)taken == length) return;
    length -= (size_t)taken;
    client->out = realloc(client->out, client->out_len + length);
    if (!client->out) die("out of memory");
    memcpy(client->out + client->out_len, bytes + taken, length);
    client->out_len += length;
    watch(EPOLL_CTL_MOD, client, EPOLLIN | EPOLLOUT);
}

static void flush(struct client *client) {
    ssize_t taken = send(client->fd, client->out, client->out_len, MSG_NOSIGNAL);
    if (taken < 0 && errno == EAGAIN) return;
    if (taken < 0) die("user %s: send: %s", client->user, strerror(errno));
    client->out_len -= (size_t)taken;
    memmove(client->out, client->out + taken, client->out_len);
    if (!client->out_len) watch(EPOLL_CTL_MOD, client, EPOLLIN);
}

static void put_frame(struct client *client, enum opcode opcode, const char *payload, size_t length) {
    char frame[FRAME_HEAD + FRAME_MAX];
    if (length > FRAME_MAX) die("a frame of %zu bytes", length);
    put(client, frame, write_frame(frame, opcode, payload, length));
}

void send_text(struct client *client, const char *text, size_t length) { put_frame(client, TEXT, text, length); }

static void connect_client(struct client *client) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port)};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) die("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    client->started_ns = now_ns();
    client->phase = CONNECTING;
    client->attempts++;
    in_progress++;
    watch(EPOLL_CTL_ADD, client, EPOLLOUT);
}

static void ask_upgrade(struct client *client) {
    char path[4608], request[5120];
    int length, error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) die("user %s: connect: %s", client->user, strerror(error));
    dialect->path(client, path, sizeof path);
    length = snprintf(request, sizeof request,
                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                      path, server_port);
    client->phase = UPGRADING;
    watch(EPOLL_CTL_MOD, client, EPOLLIN);
    put(client, request, (size_t)length);
}

/* A gateway that is opening its maximum of sockets answers 503: try again a little later. */
static void retry_later(struct client *client) {
    if (client->attempts == ATTEMPTS_MAX) die("user %s: refused %d times", client->user, ATTEMPTS_MAX);
    close(client->fd);
    client->fd = -1;
    client->phase = ABSENT;
    client->in_len = 0;
    client->opened_ns = now_ns() + RETRY_NS;
    in_progress--;
    refused++;
}

/* Returns the length of the answer to the upgrade; 0 if it isn't complete. */
static size_t read_upgrade(struct client *client, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length > 12 && !memcmp(bytes + 9, "503", 3)) {
        retry_later(client);
        return length;
    }
    if (length < 12 || memcmp(bytes + 9, "101", 3))
        die("user %s: upgrade refused: %.*s", client->user, (int)(length < 300 ? length : 300), bytes);
    client->phase = WELCOMING;
    if (dialect->greet) dialect->greet(client);
    return (size_t)(end - bytes) + 4;
}

void client_is_open(struct client *client) {
    if (client->phase != WELCOMING) die("user %s: a second welcome", client->user);
    client->phase = OPEN;
    opened++;
    in_progress--;
}

static void take_frame(struct client *client, const struct frame *frame) {
    const char *payload = frame->payload;
    int shown = (int)(frame->length < 200 ? frame->length : 200);
    switch (frame->opcode) {
    case TEXT:
    case BINARY: on_frame(client, payload, frame->length); return;
    case PING: put_frame(client, PONG, payload, frame->length); return;
    case PONG: return;
    case CLOSE:
        die("user %s: closed with %d %.*s", client->user,
            shown > 1 ? (unsigned char)payload[0] << 8 | (unsigned char)payload[1] : 1005,
            shown > 2 ? shown - 2 : 0, payload + 2);
    default: die("user %s: frame with opcode %d", client->user, frame->opcode);
    }
}

/* Handles one frame and returns its length; 0 if it isn't complete. */
static size_t read_frame(struct client *client, const char *bytes, size_t length) {
    struct frame frame;
    long size = find_frame(bytes, length, &frame);
    if (size < 0) die("user %s: not a plain whole frame", client->user);
    if (size) take_frame(client, &frame);
    return (size_t)size;
}

static void keep_rest(struct client *client, const char *bytes, size_t length) {
    if (length == INBOX) die("user %s: a frame above %d bytes", client->user, INBOX);
    if (length) {
        client->in = realloc(client->in, length);
        if (!client->in) die("out of memory");
        memcpy(client->in, bytes, length);
    }
    client->in_len = length;
}

/* Reads and handles what is there; returns true if there may be more. */
static int receive(struct client *client) {
    size_t length = client->in_len, done = 0, step;
    if (length) memcpy(inbox, client->in, length);
    ssize_t got = recv(client->fd, inbox + length, INBOX - length, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0) die("user %s: recv: %s", client->user, strerror(errno));
    if (got == 0) die("user %s: the server closed the connection", client->user);
    length += (size_t)got;
    while (done < length && client->phase != ABSENT) {
        if (client->phase == UPGRADING)
            step = read_upgrade(client, inbox + done, length - done);
        else
            step = read_frame(client, inbox + done, length - done);
        if (!step) break;
        done += step;
    }
    if (client->phase == ABSENT) return 0;
    keep_rest(client, inbox + done, length - done);
    return length == INBOX;
}

static int read_command(char *command, size_t size) {
    ssize_t got = read(0, command, size - 1);
    if (got <= 0) exit(0); /* the harness is gone */
    command[got] = 0;
    command[strcspn(command, "\n")] = 0;
    return 1;
}

static void handle(struct client *client, uint32_t events) {
    if (client->phase == CONNECTING) {
        ask_upgrade(client);
        return;
    }
    if (events & EPOLLOUT && client->out_len) flush(client);
    int ended = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (events & ~(uint32_t)EPOLLOUT)
        while (receive(client) || (ended && client->phase != ABSENT)) continue;
}

void read_rest(void) {
    static struct epoll_event events[EVENTS];
    int count = EVENTS;
    rest_read_ns = now_ns();
    while (count == EVENTS) {
        count = epoll_wait(later_set, events, EVENTS, 0);
        for (int i = 0; i < count; i++) handle(events[i].data.ptr, events[i].events);
    }
}

int serve(int timeout_ms, char *command, size_t size) {
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(prompt_set, events, EVENTS, timeout_ms), told = 0;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            handle(events[i].data.ptr, events[i].events);
        else
            told = read_command(command, size);
    }
    if (now_ns() - rest_read_ns > LATER_NS) read_rest();
    return told;
}

void reopen_client(struct client *client) {
    close(client->fd);
    client->in_len = client->out_len = 0;
    client->attempts = 0;
    opened--;
    connect_client(client);
}

/* Opens all clients, at most at_once of them at a time, and returns after the last welcome. */
void open_clients(int port, uint32_t at_once, const struct dialect *spoken, frame_handler *handler) {
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    char command[64];
    uint64_t last = now_ns();
    uint32_t before = 0, first = 0;
    server_port = port;
    dialect = spoken;
    on_frame = handler;
    prompt_set = epoll_create1(EPOLL_CLOEXEC);
    later_set = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(prompt_set, EPOLL_CTL_ADD, 0, &input);
    while (opened < client_count) {
        uint64_t now = now_ns();
        while (clients[first].phase == OPEN) first++;
        for (uint32_t i = first; i < client_count && in_progress < at_once; i++)
            if (clients[i].phase == ABSENT && clients[i].opened_ns <= now) connect_client(&clients[i]);
        serve(10, command, sizeof command);
        if (opened != before) last = now, before = opened;
        if (now - last > 15000000000ull) die("no welcome for 15 s: %u of %u are open", opened, client_count);
    }
}
