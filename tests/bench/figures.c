/* The measurements of both load generators: latencies, CPU, and the markers that identify messages. */
#define _GNU_SOURCE
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

size_t sample_count;
uint64_t progress_ns;

#define TEXT 8192 /* bytes, at most */

static char **texts;
static size_t text_count;
static uint32_t *samples_us;
static size_t sample_room;

void sample(uint64_t since_ns, uint64_t now) {
    if (sample_count == sample_room) {
        sample_room = sample_room ? sample_room * 2 : 1 << 16;
        samples_us = realloc(samples_us, sample_room * sizeof *samples_us);
        if (!samples_us) die("out of memory");
    }
    samples_us[sample_count++] = (uint32_t)((now - since_ns) / 1000);
    progress_ns = now;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(double share) {
    return sample_count ? samples_us[(size_t)((double)(sample_count - 1) * share)] : 0;
}

void write_samples(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) die("cannot write %s", path);
    for (size_t i = 0; i < sample_count; i++) fprintf(file, "%" PRIu32 "\n", samples_us[i]);
    if (fclose(file)) die("cannot write %s", path);
}

void print_samples(void) {
    qsort(samples_us, sample_count, sizeof *samples_us, by_size);
    printf("\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u", percentile(0.5), percentile(0.99),
           percentile(0.999), percentile(1));
    sample_count = 0;
}

double cpu_seconds(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static uint64_t hexadecimal(const char *digits, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) {
        int c = digits[i];
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

struct marker read_marker(struct client *client, const char *text, size_t length) {
    const char *end = text + length, *at = memchr(text, '~', length);
    if (!at || end - at < MARKER || at[1] != '~')
        die("user %s: no marker: %.*s", client->user, (int)length, text);
    return (struct marker){hexadecimal(at + 2, 16), (uint32_t)hexadecimal(at + 18, 8),
                           (uint32_t)hexadecimal(at + 26, 8)};
}

void read_texts(const char *path) {
    char line[TEXT];
    FILE *file = fopen(path, "r");
    if (!file) die("cannot read %s", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        texts = realloc(texts, (text_count + 1) * sizeof *texts);
        if (!texts || !(texts[text_count++] = strdup(line))) die("no memory for texts");
    }
    fclose(file);
    if (!text_count) die("no text in %s", path);
}

void send_marked(struct client *client, const char *conversation, uint32_t characters) {
    static char padding[TEXT];
    char text[TEXT + 1000], marker[MARKER + 1];
    int fill = (int)characters - MARKER;
    const char *filler = padding;
    if (text_count) {
        filler = texts[(client->index * 7919u + client->number) % text_count];
        fill = TEXT;
    }
    if (!padding[0]) memset(padding, 'x', sizeof padding - 1);
    snprintf(marker, sizeof marker, "~~%016" PRIx64 "%08x%08x", now_ns(), client->index, client->number);
    send_text(client, text,
              (size_t)snprintf(text, sizeof text,
                               "{\"type\":\"message.send\",\"conversation_id\":\"%s\","
                               "\"client_message_id\":\"%s\",\"content\":\"%s %.*s\"}",
                               conversation, marker, marker, fill > 1 ? fill - 1 : 0, filler));
}

void wait_for(const char *wanted) {
    char command[64];
    while (!serve(1000, command, sizeof command)) continue;
    if (strcmp(command, wanted)) die("unknown command %s", command);
}
