/* The measurements of both load generators: latencies, CPU, and the markers that identify messages. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "clients.h"

#define STALL_NS 15000000000ull
#define ID 36     /* the length of a conversation's or a message's id */
#define MARKER 34 /* ~~, 16 digits of time, 8 of sender, 8 of number */

struct marker {
    uint64_t sent_ns;
    uint32_t sender, number;
};

struct samples {
    uint32_t *us;
    size_t count, room;
};

extern struct samples latencies; /* of what the workload is about */
extern uint64_t progress_ns;     /* when the last sample was taken */

void sample(struct samples *samples, uint64_t since_ns, uint64_t now);
/* Writes the samples to a file, in µs, one per line. */
void write_samples(const struct samples *samples, const char *path);
/* Prints the samples' percentiles as members of a JSON object, their names with this prefix, and forgets the
   samples. */
void print_samples(struct samples *samples, const char *prefix);
double cpu_seconds(void);
struct marker read_marker(struct client *client, const char *text, size_t length);
/* Reads texts for the messages: lines of JSON text without quotes and escapes. */
void read_texts(const char *path);
/* Sends a message of this many characters, or with a text that was read, and the client's running number. */
void send_marked(struct client *client, const struct dialect *dialect, const char *conversation,
                 uint32_t characters);
void wait_for(const char *wanted);

#endif
