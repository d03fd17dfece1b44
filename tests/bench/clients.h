/* The WebSocket client sockets of clients.c, for load.c and day.c. */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stddef.h>
#include <stdint.h>

enum phase { ABSENT, CONNECTING, UPGRADING, WELCOMING, OPEN };

struct client {
    int fd;
    enum phase phase;
    int attempts;
    uint64_t opened_ns;  /* start of the first attempt, or when the next attempt is due */
    uint64_t started_ns; /* start of the attempt that succeeded */
    char *in;            /* an incomplete frame */
    size_t in_len;
    char *out; /* what the kernel didn't take yet */
    size_t out_len;
    /* The user of the socket, from the users file. */
    char *user, *token, *conversation;
    /* Set and read by the workload only. */
    uint64_t sent_ns; /* when it sent its last message */
    uint32_t index, number, next_echo, next_foreign;
    int acked, received, later, away;
};

/* Called for every text frame; the text is not terminated. */
typedef void frame_handler(struct client *client, const char *text, size_t length);

struct dialect;

extern struct client *clients;
extern uint32_t client_count;
extern uint64_t refused; /* upgrades that got 503 and were tried again */

uint64_t now_ns(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void load_users(const char *path);
void open_clients(int port, uint32_t at_once, const struct dialect *spoken, frame_handler *handler);
void client_is_open(struct client *client);
void send_text(struct client *client, const char *text, size_t length);
/* Cuts the connection of an open client and opens another one. */
void reopen_client(struct client *client);
/* From now on the socket is read once a second. */
void read_later(struct client *client);
/* Reads all of these sockets now. */
void read_rest(void);
/* Handles what comes within timeout_ms; returns true when the harness has written a command line. */
int serve(int timeout_ms, char *command, size_t size);

#endif
