/*
 * The load generator: many WebSocket users in one thread, every expected frame counted exactly once.
 *
 *   load fanout|durable|idle PORT USERS_FILE [-m messages] [-r per_second] [-w window] [-d seconds]
 *                                            [-s content_bytes] [-t texts_file] [-c connects_at_once]
 *                                            [-o latencies_file] [-p dialect]
 *
 * It exchanges lines with the harness: it prints one JSON object when all sockets have their welcome, waits
 * for "go", runs, prints one at the last expected frame, and serves its sockets until "close" (idle only
 * waits for that). Between these lines the harness reads the servers' CPU. Anything unexpected (an error
 * frame, a repeat, a gap, a stall) ends it with status 1 and the reason on stderr. It parses no JSON: each
 * message carries a marker, in its client_message_id and in its content, with the time of sending, the
 * sender's index and the sender's running number. dialects/ has the protocols that it speaks.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients.h"
#include "dialects/dialect.h"
#include "figures.h"

#define PROMPT_EVERY 20 /* in a fan-out, the deliveries of one client in so many are timed */

static struct {
    uint32_t messages, window, at_once, content;
    double per_second, seconds;
    const char *latencies;
    const struct dialect *dialect;
} options = {200, 64, 64, 100, 0, 10, NULL, &messenger};

static int durable, idle, running;
static uint64_t other_frames, frame_bytes; /* frame_bytes: the size of the last delivery */
static uint64_t deliveries;
static uint32_t sent, acks, echoes, receipts;
static struct samples answer_latencies; /* of durable: a writer of the fan-out sends before the last answer */

/* A user with several conversations uses one after the other. */
static void send_message(struct client *client) {
    char conversation[ID + 1] = {0};
    size_t count = (strlen(client->conversation) + 1) / (ID + 1);
    memcpy(conversation, client->conversation + client->number % count * (ID + 1), ID);
    client->acked = client->received = 0;
    client->sent_ns = now_ns();
    sent++;
    send_marked(client, options.dialect, conversation, options.content);
}

/* Each socket must see each sender's numbers without repeats and gaps. */
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

static void on_sent(struct client *client, uint32_t number) {
    if (durable && (client->acked || number != client->number))
        die("user %s: an answer to nothing that was asked", client->user);
    acks++;
    client->acked = 1;
    if (!durable) return;
    sample(&answer_latencies, client->sent_ns, now_ns());
    next_when_complete(client);
}

static void on_new(struct client *client, struct marker seen) {
    uint64_t now = now_ns();
    int own = seen.sender == client->index;
    if (!durable) {
        expect(client, &client->next_foreign, seen);
        deliveries++;
        if (!client->later) sample(&latencies, seen.sent_ns, now);
    } else if (own) {
        expect(client, &client->next_echo, seen);
        echoes++;
    } else {
        if (seen.sender != partner(client)->index) die("user %s: a stranger's message", client->user);
        expect(client, &client->next_foreign, seen);
        sample(&latencies, seen.sent_ns, now);
        deliveries++;
        receipts++;
        partner(client)->received = 1;
        next_when_complete(partner(client));
    }
}

static void on_told(struct client *client, const char *text, size_t length) {
    frame_bytes = length + (length < 126 ? 2 : 4);
    if (!idle) on_new(client, read_marker(client, text, length));
}

static void on_welcome(struct client *client) {
    client_is_open(client);
    sample(&latencies, client->started_ns, now_ns());
}

static void on_other(struct client *client) {
    (void)client;
    other_frames++;
}

static const struct listener listener = {on_welcome, on_sent, on_told, on_other};

static void on_frame(struct client *client, const char *text, size_t length) {
    options.dialect->hear(client, text, length, &listener);
}

static void check_progress(uint64_t expected) {
    if (now_ns() - progress_ns > STALL_NS)
        die("nothing came for 15 s: %" PRIu64 " of %" PRIu64 " deliveries, %u of %u answers", deliveries,
            expected, acks, sent);
}

/* The first user writes, all members of the conversation read, the writer too; returns the end time. */
static uint64_t run_fanout(void) {
    char command[64];
    uint64_t expected = (uint64_t)options.messages * client_count, now, start = now_ns();
    /* With few clients, each gets more than its buffers can hold, so all of them are read at once. */
    uint32_t every = client_count > PROMPT_EVERY ? PROMPT_EVERY : 1;
    uint32_t prompt = (client_count + every - 1) / every;
    for (uint32_t i = 0; i < client_count; i++)
        if (i % every) read_later(&clients[i]);
    while (latencies.count < (size_t)options.messages * prompt || acks < options.messages) {
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
    now = now_ns();
    while (deliveries < expected) {
        read_rest();
        serve(1, command, sizeof command);
        check_progress(expected);
    }
    return now;
}

/* The users send in turn, each only when their last message is acknowledged and received. */
static void send_those_due(double seconds) {
    while (sent < 1 + seconds * options.per_second) {
        struct client *client = &clients[sent % client_count];
        if (sent >= client_count && (!client->acked || !client->received)) return;
        send_message(client);
    }
}

/* Every user sends the next message when the last one is acknowledged, and received by the partner. With a
 * pace, the users send in turn. */
static uint64_t run_durable(void) {
    char command[64];
    uint64_t start = now_ns(), now = start, end = now + (uint64_t)(options.seconds * 1e9);
    int paced = options.per_second > 0;
    running = !paced;
    for (uint32_t i = 0; i < client_count && !paced; i++) send_message(&clients[i]);
    while ((paced && now < end) || acks < sent || receipts < sent || echoes < sent) {
        if (paced && now < end) send_those_due((double)(now - start) / 1e9);
        serve(paced ? 1 : 10, command, sizeof command);
        now = now_ns();
        if (now > end) running = 0;
        check_progress(sent);
    }
    return now_ns();
}

static void parse(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "m:r:w:d:s:t:c:o:p:")) != -1) {
        double value = optarg ? atof(optarg) : 0;
        switch (option) {
        case 'm': options.messages = (uint32_t)value; break;
        case 'r': options.per_second = value; break;
        case 'w': options.window = (uint32_t)value; break;
        case 'd': options.seconds = value; break;
        case 's': options.content = (uint32_t)value; break;
        case 't': read_texts(optarg); break;
        case 'c': options.at_once = (uint32_t)value; break;
        case 'o': options.latencies = optarg; break;
        case 'p': options.dialect = find_dialect(optarg); break;
        default: die("unknown option");
        }
    }
    if (optind != argc - 3) die("usage: load [options] fanout|durable|idle PORT USERS_FILE");
}

static void measure(void) {
    double cpu = cpu_seconds();
    uint64_t others = other_frames, start = now_ns();
    progress_ns = start;
    double seconds = (double)((durable ? run_durable() : run_fanout()) - start) / 1e9;
    cpu = cpu_seconds() - cpu;
    printf("{\"event\":\"done\",\"sent\":%u,\"acks\":%u,\"deliveries\":%" PRIu64 ","
           "\"seconds\":%.4f,\"cpu_s\":%.4f,"
           "\"other_frames\":%" PRIu64 ",\"frame_bytes\":%" PRIu64 ",",
           sent, acks, deliveries, seconds, cpu, other_frames - others, frame_bytes);
    if (options.latencies) write_samples(&latencies, options.latencies);
    print_samples(&answer_latencies, "answer_");
    putchar(',');
    print_samples(&latencies, "");
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    const char *mode = argv[optind];
    durable = !strcmp(mode, "durable");
    idle = !strcmp(mode, "idle");
    if (!durable && !idle && strcmp(mode, "fanout")) die("no mode %s", mode);
    load_users(argv[optind + 2]);
    if (durable && client_count % 2) die("durable needs pairs");
    uint64_t start = now_ns();
    open_clients(atoi(argv[optind + 1]), options.at_once, options.dialect, on_frame);
    printf("{\"event\":\"ready\",\"sockets\":%u,\"seconds\":%.4f,\"cpu_s\":%.4f,\"refused\":%" PRIu64 ",",
           client_count, (double)(now_ns() - start) / 1e9, cpu_seconds(), refused);
    print_samples(&latencies, "");
    puts("}");
    fflush(stdout);
    if (!idle) {
        wait_for("go");
        measure();
    }
    wait_for("close"); /* a late repeat still ends the run */
    puts("{\"event\":\"closed\"}");
    return 0;
}
