/*
 * Centrifugo's JSON protocol on a bidirectional WebSocket: commands and replies with ids, one JSON object per
 * line. The token names the channel, so the server subscribes the client as it connects.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dialect.h"

#define CONNECT_ID 1
#define FIRST_PUBLISH_ID 2

static void path(const struct client *client, char *to, size_t size) {
    (void)client;
    snprintf(to, size, "/connection/websocket");
}

static void greet(struct client *client) {
    say(client, "{\"id\":%d,\"connect\":{\"token\":\"%s\"}}", CONNECT_ID, client->token);
}

static void hear_line(struct client *client, const char *line, size_t length, const struct listener *listener) {
    const char *at = line + 6;
    if (begins(line, length, "{\"push\":") && contains(line, length, "\"pub\":")) {
        listener->told(client, line, length);
    } else if (begins(line, length, "{\"id\":")) {
        uint32_t id = read_number(&at, line + length);
        /* A reply has its error, or else its result, right behind the id. */
        if (begins(at, (size_t)(line + length - at), ",\"error\":")) die_refused(client, line, length);
        if (id == CONNECT_ID)
            listener->welcomed(client);
        else
            listener->answered(client, id - FIRST_PUBLISH_ID);
    } else if (length == 2 && !memcmp(line, "{}", 2)) {
        say(client, "{}"); /* a ping and its pong */
    } else
        listener->other(client);
}

static void hear(struct client *client, const char *text, size_t length, const struct listener *listener) {
    const char *end = text + length;
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) stop = end;
        if (stop > text) hear_line(client, text, (size_t)(stop - text), listener);
        text = stop + 1;
    }
}

static void publish(struct client *client, const char *conversation, const char *marker, const char *content) {
    say(client,
        "{\"id\":%" PRIu32 ",\"publish\":{\"channel\":\"room:%s\",\"data\":"
        "{\"client_message_id\":\"%s\",\"content\":\"%s\"}}}",
        client->number + FIRST_PUBLISH_ID, conversation, marker, content);
}

const struct dialect centrifugo = {"centrifugo", path, greet, hear, publish};
