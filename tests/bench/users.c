/* The users of a run, out of the users file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"

struct client *clients;
uint32_t client_count;

/* One line per user: id, token, and the conversation or several of them, separated by commas. */
void load_users(const char *path) {
    FILE *file = fopen(path, "r");
    char user[32], token[4096], conversation[4096];
    uint32_t room = 0;
    if (!file) die("cannot read %s", path);
    while (fscanf(file, "%31s %4095s %4095s", user, token, conversation) == 3) {
        if (client_count == room) {
            room = room ? room * 2 : 1024;
            clients = realloc(clients, room * sizeof *clients);
            if (!clients) die("out of memory");
        }
        struct client *client = &clients[client_count];
        memset(client, 0, sizeof *client);
        client->fd = -1;
        client->index = client_count++;
        client->user = strdup(user);
        client->token = strdup(token);
        client->conversation = strdup(conversation);
    }
    fclose(file);
    if (!client_count) die("no users in %s", path);
}
