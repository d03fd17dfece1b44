/* How a server's clients say hello, send and listen: one table of functions for each protocol. */
#ifndef DIALECT_H
#define DIALECT_H

#include <string.h>

#include "../clients.h"
#include "../figures.h"

/* What frames mean to the load generator. */
struct listener {
    void (*welcomed)(struct client *client);
    /* The server has taken the client's own message of this number. */
    void (*answered)(struct client *client, uint32_t number);
    /* Somebody's message; its marker is the first one in the text. */
    void (*told)(struct client *client, const char *text, size_t length);
    void (*other)(struct client *client);
};

struct dialect {
    const char *name;
    /* Writes the path of the upgrade. */
    void (*path)(const struct client *client, char *path, size_t size);
    /* Speaks after the upgrade; NULL where the server speaks first. */
    void (*greet)(struct client *client);
    /* Understands a frame: tells the listener, and answers what needs an answer. A refusal ends the program. */
    void (*hear)(struct client *client, const char *text, size_t length, const struct listener *listener);
    /* Sends the client's next message; the content begins with the marker. */
    void (*publish)(struct client *client, const char *conversation, const char *marker, const char *content);
};

extern const struct dialect messenger, centrifugo, nats, socketio;

/* Ends the program if there is none of this name. */
const struct dialect *find_dialect(const char *name);

/* For dialects: formats and sends a text frame. */
void say(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Inline, so that the length of a literal is known. */
static inline int begins(const char *text, size_t length, const char *with) {
    size_t size = strlen(with);
    return length >= size && !memcmp(text, with, size);
}
int contains(const char *text, size_t length, const char *what);
/* Reads the decimal number before `end`; stores where it stops. */
uint32_t read_number(const char **at, const char *end);
void die_refused(const struct client *client, const char *text, size_t length) __attribute__((noreturn));

#endif
