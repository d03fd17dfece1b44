/*
 * Socket.IO 4 on Engine.IO 4, WebSocket alone: a digit for Engine.IO's packet, one for Socket.IO's, the id of
 * the acknowledgement, and JSON.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>

#include "dialect.h"

static void path(const struct client *client, char *to, size_t size) {
    (void)client;
    snprintf(to, size, "/socket.io/?EIO=4&transport=websocket");
}

static void hear(struct client *client, const char *text, size_t length, const struct listener *listener) {
    const char *at = text + 2;
    if (begins(text, length, "42[\"message\","))
        listener->told(client, text, length);
    else if (begins(text, length, "43") && !contains(text, length, "\"error\":"))
        listener->answered(client, read_number(&at, text + length));
    else if (begins(text, length, "0{"))
        say(client, "40{\"token\":\"%s\"}", client->token);
    else if (begins(text, length, "40{"))
        listener->welcomed(client);
    else if (begins(text, length, "2"))
        say(client, "3"); /* a ping and its pong */
    else if (begins(text, length, "4") || begins(text, length, "1"))
        die_refused(client, text, length);
    else
        listener->other(client);
}

static void publish(struct client *client, const char *conversation, const char *marker, const char *content) {
    say(client,
        "42%" PRIu32 "[\"send\",{\"room\":\"%s\",\"client_message_id\":\"%s\",\"content\":\"%s\"}]",
        client->number, conversation, marker, content);
}

const struct dialect socketio = {"socketio", path, NULL, hear, publish};
