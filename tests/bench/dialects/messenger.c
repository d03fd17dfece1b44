/* Our protocol, version 1. The naive server speaks it too. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "dialect.h"

static void path(const struct client *client, char *to, size_t size) {
    snprintf(to, size, "/api/v1/messenger/ws/%s?token=%s", client->user, client->token);
}

static void answered(struct client *client, const char *text, size_t length, const struct listener *listener) {
    struct marker seen = read_marker(client, text, length);
    if (contains(text, length, "\"duplicate\":true")) die("user %s: a duplicate", client->user);
    if (seen.sender != client->index) die("user %s: an answer to sender %u", client->user, seen.sender);
    listener->answered(client, seen.number);
}

static void hear(struct client *client, const char *text, size_t length, const struct listener *listener) {
    const char *type = memmem(text, length, "\"type\":\"", 8);
    if (!type) die("user %s: a frame without type: %.*s", client->user, (int)length, text);
    type += 8;
    size_t left = (size_t)(text + length - type);
    if (begins(type, left, "message.new\""))
        listener->told(client, text, length);
    else if (begins(type, left, "message.sent\""))
        answered(client, type, left, listener);
    else if (begins(type, left, "error\""))
        die_refused(client, text, length);
    else if (begins(type, left, "system\"") && contains(type, left, "\"connected\""))
        listener->welcomed(client);
    else
        listener->other(client);
}

static void publish(struct client *client, const char *conversation, const char *marker, const char *content) {
    say(client,
        "{\"type\":\"message.send\",\"conversation_id\":\"%s\",\"client_message_id\":\"%s\",\"content\":\"%s\"}",
        conversation, marker, content);
}

const struct dialect messenger = {"messenger", path, NULL, hear, publish};
