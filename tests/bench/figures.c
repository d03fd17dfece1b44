/* The measurements of both load generators: latencies, CPU, and the markers that identify messages. */
#define _GNU_SOURCE
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "dialects/dialect.h"

struct samples latencies;
uint64_t progress_ns;

#define LONGEST 8192 /* bytes of a text, at most */

static char **texts;
static size_t text_count;

void sample(struct samples *samples, uint64_t since_ns, uint64_t now) {
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 1 << 16;
        samples->us = realloc(samples->us, samples->room * sizeof *samples->us);
        if (!samples->us) die("out of memory");
    }
    samples->us[samples->count++] = (uint32_t)((now - since_ns) / 1000);
    progress_ns = now;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(const struct samples *samples, double share) {
    return samples->count ? samples->us[(size_t)((double)(samples->count - 1) * share)] : 0;
}

void write_samples(const struct samples *samples, const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) die("cannot write %s", path);
    for (size_t i = 0; i < samples->count; i++) fprintf(file, "%" PRIu32 "\n", samples->us[i]);
    if (fclose(file)) die("cannot write %s", path);
}

void print_samples(struct samples *samples, const char *prefix) {
    if (samples->count) qsort(samples->us, samples->count, sizeof *samples->us, by_size);
    printf("\"%sp50_us\":%u,\"%sp99_us\":%u,\"%sp999_us\":%u,\"%smax_us\":%u", prefix,
           percentile(samples, 0.5), prefix, percentile(samples, 0.99), prefix, percentile(samples, 0.999), prefix,
           percentile(samples, 1));
    samples->count = 0;
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
    char line[LONGEST];
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

void send_marked(struct client *client, const struct dialect *dialect, const char *conversation,
                 uint32_t characters) {
    static char padding[LONGEST];
    char content[MARKER + 1 + LONGEST], marker[MARKER + 1];
    int fill = (int)characters - MARKER;
    const char *filler = padding;
    if (text_count) {
        filler = texts[(client->index * 7919u + client->number) % text_count];
        fill = LONGEST;
    }
    if (!padding[0]) memset(padding, 'x', sizeof padding - 1);
    snprintf(marker, sizeof marker, "~~%016" PRIx64 "%08x%08x", now_ns(), client->index, client->number);
    snprintf(content, sizeof content, "%s %.*s", marker, fill > 1 ? fill - 1 : 0, filler);
    dialect->publish(client, conversation, marker, content);
}

void wait_for(const char *wanted) {
    char command[64];
    while (!serve(1000, command, sizeof command)) continue;
    if (strcmp(command, wanted)) die("unknown command %s", command);
}
