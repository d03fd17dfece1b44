/*
 * What a dialect understands and says, for test_dialects.py: a load generator without sockets.
 *
 *   hear DIALECT
 *
 * The client is user 7, the first of the users file, and has sent its messages 0 to 3. On stdin is, for each
 * frame that it gets, its length, a newline and its bytes. The program prints a line for each thing that the
 * dialect tells or says; last, what it says to send message 4.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dialects/dialect.h"

/* In the place of clients.c. */
uint64_t now_ns(void) { return 5; }

int serve(int timeout_ms, char *command, size_t size) {
    (void)timeout_ms, (void)command, (void)size;
    return 1;
}

void die(const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    printf("refused: ");
    vprintf(format, rest);
    putchar('\n');
    va_end(rest);
    exit(1);
}

void send_text(struct client *client, const char *text, size_t length) {
    (void)client;
    printf("says ");
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r') printf("\\r");
        else if (text[i] == '\n') printf("\\n");
        else putchar(text[i]);
    }
    putchar('\n');
}

static void welcomed(struct client *client) {
    client->phase = OPEN;
    puts("welcomed");
}

static void answered(struct client *client, uint32_t number) {
    (void)client;
    printf("answered %u\n", number);
}

static void told(struct client *client, const char *text, size_t length) {
    struct marker marker = read_marker(client, text, length);
    printf("told %u of %u\n", marker.number, marker.sender);
}

static void other(struct client *client) {
    (void)client;
    puts("other");
}

int main(int argc, char **argv) {
    static char frame[1 << 16];
    static const struct listener listener = {welcomed, answered, told, other};
    const struct dialect *dialect = find_dialect(argc > 1 ? argv[1] : "");
    struct client client = {.phase = WELCOMING, .user = "7", .token = "TOKEN", .conversation = "ROOM", .number = 3};
    char path[4608];
    size_t length;
    dialect->path(&client, path, sizeof path);
    printf("opens %s\n", path);
    if (dialect->greet) dialect->greet(&client);
    while (scanf("%zu%*c", &length) == 1) {
        if (length > sizeof frame || fread(frame, 1, length, stdin) != length) die("a frame is cut off");
        dialect->hear(&client, frame, length, &listener);
    }
    client.number = 4;
    send_marked(&client, dialect, client.conversation, 40);
    return 0;
}
