/* The table of dialects, and what they share. */
#define _GNU_SOURCE
#include "dialect.h"

#include <stdarg.h>
#include <stdio.h>

#define SAID 16384 /* bytes of the longest frame that is formatted */

static const struct dialect *const dialects[] = {&messenger, &centrifugo, &nats, &socketio};

const struct dialect *find_dialect(const char *name) {
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (!strcmp(dialects[i]->name, name)) return dialects[i];
    die("no dialect %s", name);
}

void say(struct client *client, const char *format, ...) {
    char text[SAID];
    va_list rest;
    va_start(rest, format);
    int length = vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    if (length < 0 || (size_t)length >= sizeof text) die("a frame of %d bytes", length);
    send_text(client, text, (size_t)length);
}

int contains(const char *text, size_t length, const char *what) {
    return memmem(text, length, what, strlen(what)) != NULL;
}

uint32_t read_number(const char **at, const char *end) {
    uint32_t number = 0;
    while (*at < end && **at >= '0' && **at <= '9') number = number * 10 + (uint32_t)(*(*at)++ - '0');
    return number;
}

void die_refused(const struct client *client, const char *text, size_t length) {
    die("user %s: %.*s", client->user, (int)(length < 300 ? length : 300), text);
}
