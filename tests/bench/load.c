/*
 * The load generator: many WebSocket users in one thread, every expected frame counted exactly once.
 *
 *   load fanout|durable|idle PORT USERS_FILE [-m messages] [-r per_second] [-w window] [-d seconds]
 *                                            [-s content_bytes] [-c connects_at_once]
 *
 * It talks with the harness in lines: it prints one JSON object when all sockets have their welcome, waits
 * for "go", runs, prints one at the last expected frame, and serves its sockets until "close" (idle waits for
 * that alone). Between these lines the harness reads the servers' CPU. Whatever isn't as expected (an error
 * frame, a repeat, a gap, a stall) ends it with status 1 and the reason on stderr. It doesn't parse JSON:
 * each message carries a marker, in its client_message_id and in its content, with the time of sending, the
 * sender's index and the sender's running number.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clients.h"

#define STALL_NS 15000000000ull
#define MARKER 34 /* ~~, 16 digits of time, 8 of sender, 8 of number */

struct marker {
    uint64_t sent_ns;
    uint32_t sender, number;
};

static struct {
    uint32_t messages, window, at_once, content;
    double per_second, seconds;
} options = {200, 64, 64, 100, 0, 10};

static int durable, running;
static uint64_t other_frames, progress_ns, frame_bytes; /* bytes: of the last message.new on the wire */
static uint32_t sent, acks, echoes, receipts;
static uint32_t *samples_us;
static size_t sample_count, sample_room;

static void sample(uint64_t since_ns, uint64_t now) {
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

static void print_samples(void) {
    qsort(samples_us, sample_count, sizeof *samples_us, by_size);
    printf("\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u", percentile(0.5), percentile(0.99),
           percentile(0.999), percentile(1));
    sample_count = 0;
}

static double cpu_seconds(void) {
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

static struct marker read_marker(struct client *client, const char *text, size_t length) {
    const char *end = text + length, *at = memchr(text, '~', length);
    if (!at || end - at < MARKER || at[1] != '~')
        die("user %s: no marker: %.*s", client->user, (int)length, text);
    return (struct marker){hexadecimal(at + 2, 16), (uint32_t)hexadecimal(at + 18, 8),
                           (uint32_t)hexadecimal(at + 26, 8)};
}

static void send_message(struct client *client) {
    static char padding[8192];
    char text[9000], marker[MARKER + 1];
    int fill = (int)options.content - MARKER;
    if (!padding[0]) memset(padding, 'x', sizeof padding - 1);
    snprintf(marker, sizeof marker, "~~%016" PRIx64 "%08x%08x", now_ns(), client->index, client->number);
    client->acked = client->received = 0;
    sent++;
    send_text(client, text,
              (size_t)snprintf(text, sizeof text,
                               "{\"type\":\"message.send\",\"conversation_id\":\"%s\","
                               "\"client_message_id\":\"%s\",\"content\":\"%s %.*s\"}",
                               client->conversation, marker, marker, fill > 1 ? fill - 1 : 0, padding));
}

/* Each socket must see each sender's numbers without a repeat and without a gap. */
static void expect(struct client *client, uint32_t *next, struct marker seen) {
    if (seen.number != *next)
        die("user %s: message %u of sender %u came where %u was due (%s)", client->user, seen.number,
            seen.sender, *next, seen.number < *next ? "a repeat" : "a gap");
    ++*next;
}

static struct client *partner(struct client *client) { return &clients[client->index ^ 1]; }

static void next_when_complete(struct client *client) {
    if (!client->acked || !client->received) return;
    client->number++;
    if (running) send_message(client);
}

static void on_sent(struct client *client, struct marker seen) {
    if (seen.sender != client->index || (durable && (client->acked || seen.number != client->number)))
        die("user %s: an answer to nothing that was asked", client->user);
    acks++;
    client->acked = 1;
    if (durable) next_when_complete(client);
}

static void on_new(struct client *client, struct marker seen) {
    uint64_t now = now_ns();
    int own = seen.sender == client->index;
    if (!durable) {
        expect(client, &client->next_foreign, seen);
        sample(seen.sent_ns, now);
    } else if (own) {
        expect(client, &client->next_echo, seen);
        echoes++;
    } else {
        if (seen.sender != partner(client)->index) die("user %s: a stranger's message", client->user);
        expect(client, &client->next_foreign, seen);
        sample(seen.sent_ns, now);
        receipts++;
        partner(client)->received = 1;
        next_when_complete(partner(client));
    }
}

static void on_frame(struct client *client, const char *text, size_t length) {
    const char *type = memmem(text, length, "\"type\":\"", 8);
    size_t left;
    if (!type) die("user %s: a frame without type: %.*s", client->user, (int)length, text);
    type += 8;
    left = (size_t)(text + length - type);
    if (left > 12 && !memcmp(type, "message.new\"", 12)) {
        frame_bytes = length + (length < 126 ? 2 : 4);
        on_new(client, read_marker(client, type, left));
    } else if (left > 13 && !memcmp(type, "message.sent\"", 13)) {
        if (memmem(type, left, "\"duplicate\":true", 16)) die("user %s: a duplicate", client->user);
        on_sent(client, read_marker(client, type, left));
    } else if (left > 6 && !memcmp(type, "error\"", 6))
        die("user %s: %.*s", client->user, (int)length, text);
    else if (left > 7 && !memcmp(type, "system\"", 7) && memmem(type, left, "\"connected\"", 11)) {
        client_is_open(client);
        sample(client->started_ns, now_ns());
    } else
        other_frames++;
}

static void wait_for(const char *wanted) {
    char command[64];
    while (!serve(1000, command, sizeof command)) continue;
    if (strcmp(command, wanted)) die("unknown command %s", command);
}

static void check_progress(uint64_t expected) {
    if (now_ns() - progress_ns > STALL_NS)
        die("nothing came for 15 s: %zu of %" PRIu64 " deliveries, %u of %u answers", sample_count, expected,
            acks, sent);
}

/* The first user writes, everyone in the conversation reads, the writer too. */
static void run_fanout(void) {
    char command[64];
    uint64_t expected = (uint64_t)options.messages * client_count, now, start = now_ns();
    while (sample_count < expected || acks < options.messages) {
        int timeout_ms = 1000;
        now = now_ns();
        uint32_t due = options.messages;
        if (options.per_second > 0) {
            uint32_t paced = 1 + (uint32_t)((double)(now - start) / 1e9 * options.per_second);
            if (paced < due) due = paced, timeout_ms = 1;
        }
        while (sent < due && sent - acks < options.window) {
            send_message(&clients[0]);
            clients[0].number++;
        }
        serve(timeout_ms, command, sizeof command);
        check_progress(expected);
    }
}

/* Every user sends the next when the last one is both acknowledged and received by the partner. */
static void run_durable(void) {
    char command[64];
    uint64_t now = now_ns(), end = now + (uint64_t)(options.seconds * 1e9);
    running = 1;
    for (uint32_t i = 0; i < client_count; i++) send_message(&clients[i]);
    while (acks < sent || receipts < sent || echoes < sent) {
        serve(10, command, sizeof command);
        now = now_ns();
        if (now > end) running = 0;
        check_progress(sent);
    }
}

static void parse(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "m:r:w:d:s:c:")) != -1) {
        double value = optarg ? atof(optarg) : 0;
        switch (option) {
        case 'm': options.messages = (uint32_t)value; break;
        case 'r': options.per_second = value; break;
        case 'w': options.window = (uint32_t)value; break;
        case 'd': options.seconds = value; break;
        case 's': options.content = (uint32_t)value; break;
        case 'c': options.at_once = (uint32_t)value; break;
        default: die("unknown option");
        }
    }
    if (optind != argc - 3) die("usage: load [options] fanout|durable|idle PORT USERS_FILE");
}

static void measure(void) {
    double cpu = cpu_seconds();
    uint64_t others = other_frames, start = now_ns(), deliveries;
    progress_ns = start;
    if (durable)
        run_durable();
    else
        run_fanout();
    double seconds = (double)(now_ns() - start) / 1e9;
    cpu = cpu_seconds() - cpu;
    deliveries = sample_count;
    printf("{\"event\":\"done\",\"sent\":%u,\"acks\":%u,\"deliveries\":%" PRIu64 ","
           "\"seconds\":%.4f,\"cpu_s\":%.4f,"
           "\"other_frames\":%" PRIu64 ",\"frame_bytes\":%" PRIu64 ",",
           sent, acks, deliveries, seconds, cpu, other_frames - others, frame_bytes);
    print_samples();
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    const char *mode = argv[optind];
    durable = !strcmp(mode, "durable");
    if (!durable && strcmp(mode, "fanout") && strcmp(mode, "idle")) die("no mode %s", mode);
    load_users(argv[optind + 2]);
    if (durable && client_count % 2) die("durable needs pairs");
    uint64_t start = now_ns();
    open_clients(atoi(argv[optind + 1]), options.at_once, on_frame);
    printf("{\"event\":\"ready\",\"sockets\":%u,\"seconds\":%.4f,\"cpu_s\":%.4f,\"refused\":%" PRIu64 ",",
           client_count, (double)(now_ns() - start) / 1e9, cpu_seconds(), refused);
    print_samples();
    puts("}");
    fflush(stdout);
    if (strcmp(mode, "idle")) {
        wait_for("go");
        measure();
    }
    wait_for("close"); /* a repeat that comes late ends it here */
    puts("{\"event\":\"closed\"}");
    return 0;
}
