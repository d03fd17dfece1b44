/*
 * The load generator for users in many conversations: users who return, and a mixed day.
 *
 *   day comeback|mixed PORT USERS_FILE ROOMS_FILE [-r actions_per_second] [-d seconds] [-w window] [-l]
 *
 * A line of the rooms file is a conversation: its id, its pos when its members were last here, 1 if it is
 * lively, and the members as line numbers of the users file. The program exchanges lines with the harness as
 * load does. It checks by pos what each member sees: every next pos, none twice, the same last pos for all.
 * Comeback: all users ask for what they missed, some at a time. Mixed: a few members of each lively
 * conversation view it, write, read, type, and lose their connections. -l is for a server that promises no
 * order: gaps and repeats are counted, and don't end the run.
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

#define ACTIVE_MEMBERS 5
#define AT_ONCE 64
#define CONTENT 100

struct room {
    char id[ID + 1], latest[ID + 1]; /* latest: the id of its last message */
    uint64_t last_pos;
    int lively;
};

struct seat { /* a member's position in one conversation */
    struct room *room;
    uint64_t pos;
};

struct place { /* all conversations of a client */
    struct seat *seats;
    uint32_t count;
};

static struct {
    double per_second, seconds;
    uint32_t window;
    int lenient;
} options = {100, 10, AT_ONCE, 0};

static int mixed;
static struct place *places;
static struct room *rooms;
static struct { struct client *client; struct room *room; } *actors;
static uint32_t room_count, actor_count, under_way;
static uint64_t actions, deliveries, replays, returns, gaps, repeats, sent, acks, reads, confirmed, typings;
static uint64_t typing_frames, frame_bytes;

static void sit(uint32_t index, struct room *room, uint64_t pos) {
    struct place *place = &places[index];
    place->seats = realloc(place->seats, (place->count + 1) * sizeof *place->seats);
    if (!place->seats) die("out of memory");
    place->seats[place->count++] = (struct seat){room, pos};
}

static void load_rooms(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    if (!file) die("cannot read %s", path);
    while (getline(&line, &size, file) > 0) room_count++;
    rewind(file);
    rooms = calloc(room_count, sizeof *rooms);
    actors = calloc((size_t)room_count * ACTIVE_MEMBERS, sizeof *actors);
    places = calloc(client_count, sizeof *places);
    for (struct room *room = rooms; getline(&line, &size, file) > 0; room++) {
        int used, step, members = 0;
        uint32_t member;
        if (sscanf(line, "%36s %" SCNu64 " %d%n", room->id, &room->last_pos, &room->lively, &used) < 3)
            die("not a conversation: %s", line);
        for (char *rest = line + used; sscanf(rest, "%" SCNu32 "%n", &member, &step) == 1; rest += step) {
            sit(member, room, room->last_pos);
            if (room->lively && members++ < ACTIVE_MEMBERS) {
                actors[actor_count].client = &clients[member];
                actors[actor_count++].room = room;
            }
        }
    }
    free(line);
    fclose(file);
}

static void send_command(struct client *client, const char *type, const char *field, const char *value) {
    char text[256];
    send_text(client, text,
              (size_t)snprintf(text, sizeof text, "{\"type\":\"%s\",\"%s\":\"%s\"}", type, field, value));
}

static void ask_missed(struct client *client) {
    struct place *place = &places[client->index];
    char text[16384];
    size_t length = (size_t)sprintf(text, "{\"type\":\"resume\",\"ref\":\"r\",\"positions\":{");
    if (place->count > 200) die("user %s: in more conversations than one resume takes", client->user);
    for (uint32_t i = 0; i < place->count; i++)
        length += (size_t)sprintf(text + length, "%s\"%s\":%" PRIu64, i ? "," : "", place->seats[i].room->id,
                                  place->seats[i].pos);
    length += (size_t)sprintf(text + length, "}}");
    client->opened_ns = now_ns();
    client->away = 1;
    send_text(client, text, length);
}

static void look(struct client *client) {
    for (uint32_t i = 0; i < actor_count; i++)
        if (actors[i].client == client)
            send_command(client, "subscribe", "conversation_id", actors[i].room->id);
}

static struct seat *find_seat(struct client *client, const char *text, size_t length) {
    const char *at = memmem(text, length, "\"conversation_id\":\"", 19);
    struct place *place = &places[client->index];
    if (at && (size_t)(text + length - at) > 19 + ID)
        for (uint32_t i = 0; i < place->count; i++)
            if (!memcmp(place->seats[i].room->id, at + 19, ID)) return &place->seats[i];
    die("user %s: of a conversation that is not his: %.*s", client->user, (int)length, text);
}

static void on_new(struct client *client, const char *text, size_t length, int replayed) {
    struct seat *seat = find_seat(client, text, length);
    struct room *room = seat->room;
    const char *at = memmem(text, length, "\"pos\":", 6), *id = memmem(text, length, "\"data\":{\"id\":\"", 14);
    if (!at || !id) die("user %s: no pos or no id: %.*s", client->user, (int)length, text);
    uint64_t pos = strtoull(at + 6, NULL, 10);
    if (pos > room->last_pos) {
        room->last_pos = pos;
        memcpy(room->latest, id + 14, ID);
    }
    if (pos != seat->pos + 1) {
        if (client->away) return; /* live events before the replay come again in it */
        if (!options.lenient)
            die("user %s: pos %" PRIu64 " came after %" PRIu64, client->user, pos, seat->pos);
        if (pos <= seat->pos) {
            repeats++;
            return;
        }
        gaps += pos - seat->pos - 1;
    }
    seat->pos = pos;
    progress_ns = now_ns();
    if (replayed) {
        replays++;
        return;
    }
    deliveries++;
    if (mixed) sample(&latencies, read_marker(client, text, length).sent_ns, progress_ns);
}

static void on_resumed(struct client *client) {
    client->away = 0;
    returns++;
    under_way--;
    if (mixed)
        look(client);
    else
        sample(&latencies, client->opened_ns, now_ns());
}

static int is(const char *type, size_t left, const char *name) {
    size_t length = strlen(name);
    return left > length && !memcmp(type, name, length) && type[length] == '"';
}

static void on_frame(struct client *client, const char *text, size_t length) {
    const char *type = memmem(text, length, "\"type\":\"", 8);
    size_t left;
    if (!type) die("user %s: a frame without type: %.*s", client->user, (int)length, text);
    type += 8;
    left = (size_t)(text + length - type);
    if (is(type, left, "message.new")) {
        int replayed = length > 14 && !memcmp(text, "{\"replay\":true", 14);
        frame_bytes = length + (length < 126 ? 2 : 4);
        on_new(client, type, left, replayed);
    } else if (is(type, left, "message.sent")) {
        acks++;
        client->acked--;
    } else if (is(type, left, "read.confirmed")) {
        confirmed++;
        client->acked--;
    } else if (is(type, left, "typing.start"))
        typing_frames++;
    else if (is(type, left, "resumed"))
        on_resumed(client);
    else if (is(type, left, "error"))
        die("user %s: %.*s", client->user, (int)length, text);
    else if (is(type, left, "system") && memmem(type, left, "\"connected\"", 11)) {
        client_is_open(client);
        if (client->away)
            ask_missed(client);
        else
            sample(&latencies, client->started_ns, now_ns());
    }
}

static void check_progress(void) {
    if (now_ns() - progress_ns > STALL_NS)
        die("nothing came for 15 s: %" PRIu64 " of %" PRIu64 " answers, %" PRIu64 " of %" PRIu64
            " reads, %u are coming back",
            acks, sent, confirmed, reads, under_way);
}

/* All users ask for what they missed, a window of them at a time. */
static void run_comeback(void) {
    char command[64];
    uint32_t next = 0;
    while (returns < client_count) {
        for (; next < client_count && under_way < options.window; under_way++) ask_missed(&clients[next++]);
        serve(10, command, sizeof command);
        check_progress();
    }
    actions = returns;
}

static void act(void) {
    static unsigned seed = 1;
    uint32_t chosen = (uint32_t)rand_r(&seed) % actor_count;
    int kind = rand_r(&seed) % 20;
    struct client *client = actors[chosen].client;
    struct room *room = actors[chosen].room;
    if (client->phase != OPEN || client->away) return;
    actions++;
    if (kind < 8) {
        send_marked(client, &messenger, room->id, CONTENT);
        client->number++;
        client->acked++;
        sent++;
    } else if (kind < 14 && room->latest[0]) {
        send_command(client, "message.read", "message_id", room->latest);
        client->acked++;
        reads++;
    } else if (kind < 18 || client->acked) {
        send_command(client, "typing.start", "conversation_id", room->id);
        typings++;
    } else {
        client->away = 1;
        under_way++;
        reopen_client(client);
    }
}

static int all_know_all(void) {
    if (acks < sent || confirmed < reads || under_way) return 0;
    for (uint32_t i = 0; i < client_count; i++)
        for (uint32_t j = 0; j < places[i].count; j++)
            if (places[i].seats[j].pos < places[i].seats[j].room->last_pos) return 0;
    return 1;
}

/* Performs actions at their pace; ends when every user has everything. */
static void run_mixed(void) {
    char command[64];
    uint64_t start = now_ns(), due = 0, begun = 0;
    double elapsed = 0;
    while (elapsed < options.seconds || !all_know_all()) {
        elapsed = (double)(now_ns() - start) / 1e9;
        if (elapsed < options.seconds) due = (uint64_t)(elapsed * options.per_second);
        for (; begun < due; begun++) act();
        serve(1, command, sizeof command);
        check_progress();
    }
}

static void measure(void) {
    double cpu = cpu_seconds();
    uint64_t start = progress_ns = now_ns();
    if (mixed)
        run_mixed();
    else
        run_comeback();
    printf("{\"event\":\"done\",\"seconds\":%.4f,\"cpu_s\":%.4f,", (double)(now_ns() - start) / 1e9,
           cpu_seconds() - cpu);
    printf("\"actions\":%" PRIu64 ",\"acks\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",\"replays\":%" PRIu64
           ",\"returns\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"typings\":%" PRIu64 ",\"typing_frames\":%" PRIu64
           ",\"gaps\":%" PRIu64 ",\"repeats\":%" PRIu64 ",\"frame_bytes\":%" PRIu64 ",",
           actions, acks, deliveries, replays, returns, confirmed, typings, typing_frames, gaps, repeats,
           frame_bytes);
    print_samples(&latencies, "");
    puts("}");
    fflush(stdout);
}

static void parse(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "r:d:w:l")) != -1) {
        switch (option) {
        case 'r': options.per_second = atof(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'w': options.window = (uint32_t)atoi(optarg); break;
        case 'l': options.lenient = 1; break;
        default: die("unknown option");
        }
    }
    if (optind != argc - 4) die("usage: day [options] comeback|mixed PORT USERS_FILE ROOMS_FILE");
}

int main(int argc, char **argv) {
    parse(argc, argv);
    mixed = !strcmp(argv[optind], "mixed");
    if (!mixed && strcmp(argv[optind], "comeback")) die("no mode %s", argv[optind]);
    load_users(argv[optind + 2]);
    load_rooms(argv[optind + 3]);
    uint64_t start = now_ns();
    open_clients(atoi(argv[optind + 1]), AT_ONCE, &messenger, on_frame);
    printf("{\"event\":\"ready\",\"sockets\":%u,\"seconds\":%.4f,\"cpu_s\":%.4f,", client_count,
           (double)(now_ns() - start) / 1e9, cpu_seconds());
    print_samples(&latencies, "");
    puts("}");
    fflush(stdout);
    if (mixed)
        for (uint32_t i = 0; i < actor_count; i++)
            send_command(actors[i].client, "subscribe", "conversation_id", actors[i].room->id);
    wait_for("go");
    measure();
    wait_for("close");
    puts("{\"event\":\"closed\"}");
    return 0;
}
