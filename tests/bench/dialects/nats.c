/*
 * NATS in WebSocket frames. A message goes to the subject of its conversation, which a JetStream stream holds;
 * the stream's answer comes to the subject of the client's own answers, whose last part is the number. The
 * header Nats-Msg-Id lets the stream know a repeat.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dialect.h"

#define ANSWERS_SID "2"

static void path(const struct client *client, char *to, size_t size) {
    (void)client;
    snprintf(to, size, "/");
}

/* The server says INFO first; its PONG comes after it has taken the subscriptions. */
static void introduce(struct client *client) {
    say(client,
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"lang\":\"c\","
        "\"version\":\"1\",\"user\":\"user\",\"pass\":\"%s\"}\r\n"
        "SUB room.%s 1\r\nSUB _INBOX.%s.* " ANSWERS_SID "\r\nPING\r\n",
        client->token, client->conversation, client->user);
}

static const char *last_part(const char *from, const char *end) {
    const char *dot = memrchr(from, '.', (size_t)(end - from));
    return dot ? dot + 1 : end;
}

/* [H]MSG <subject> <sid> [reply] [size of the headers] <size>, and then the body. Returns its end. */
static const char *hear_message(struct client *client, const char *line, const char *line_end, const char *end,
                                const struct listener *listener) {
    const char *subject = (const char *)memchr(line, ' ', (size_t)(line_end - line)) + 1;
    const char *subject_end = memchr(subject, ' ', (size_t)(line_end - subject));
    const char *size_at = memrchr(line, ' ', (size_t)(line_end - line)) + 1;
    const char *body = line_end + 2;
    if (!subject_end) die_refused(client, line, (size_t)(line_end - line));
    size_t size = read_number(&size_at, line_end);
    if ((size_t)(end - body) < size + 2) die("user %s: a message in two frames", client->user);
    if (subject_end[1] != ANSWERS_SID[0]) {
        listener->told(client, line, (size_t)(body + size - line));
    } else {
        const char *number = last_part(subject, subject_end);
        if (!contains(body, size, "\"seq\":") || contains(body, size, "\"duplicate\""))
            die_refused(client, body, size);
        listener->answered(client, read_number(&number, subject_end));
    }
    return body + size + 2;
}

static void hear_word(struct client *client, const char *line, size_t length, const struct listener *listener) {
    if (begins(line, length, "INFO") && client->phase == WELCOMING)
        introduce(client);
    else if (begins(line, length, "PONG"))
        listener->welcomed(client);
    else if (begins(line, length, "PING"))
        say(client, "PONG\r\n");
    else if (begins(line, length, "-ERR"))
        die_refused(client, line, length);
    else
        listener->other(client);
}

static void hear(struct client *client, const char *text, size_t length, const struct listener *listener) {
    const char *end = text + length;
    while (text < end) {
        const char *line_end = memmem(text, (size_t)(end - text), "\r\n", 2);
        if (!line_end) die("user %s: a line in two frames", client->user);
        size_t line = (size_t)(line_end - text);
        if (begins(text, line, "MSG ") || begins(text, line, "HMSG ")) {
            text = hear_message(client, text, line_end, end, listener);
        } else {
            hear_word(client, text, line, listener);
            text = line_end + 2;
        }
    }
}

static void publish(struct client *client, const char *conversation, const char *marker, const char *content) {
    char headers[128];
    int head = snprintf(headers, sizeof headers, "NATS/1.0\r\nNats-Msg-Id: %s\r\n\r\n", marker);
    say(client, "HPUB room.%s _INBOX.%s.%" PRIu32 " %d %zu\r\n%s{\"sender_id\":%s,\"content\":\"%s\"}\r\n",
        conversation, client->user, client->number, head,
        (size_t)head + strlen("{\"sender_id\":,\"content\":\"\"}") + strlen(client->user) + strlen(content),
        headers, client->user, content);
}

const struct dialect nats = {"nats", path, NULL, hear, publish};
