/* The bytes of WebSocket frames, for clients.c. Inline, since a burst has a million of them a second. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stddef.h>
#include <string.h>

#define FRAME_MAX 65535 /* the longest payload that a client sends */
#define FRAME_HEAD 8    /* the longest head of such a frame */

struct frame {
    int opcode;
    const char *payload;
    size_t length;
};

enum opcode { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* Writes a masked frame, of at most FRAME_HEAD + FRAME_MAX bytes, and returns its length. */
static inline size_t write_frame(char *bytes, enum opcode opcode, const char *payload, size_t length) {
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    unsigned char *frame = (unsigned char *)bytes;
    size_t head = 2;
    frame[0] = (unsigned char)(0x80 | opcode);
    if (length < 126) {
        frame[1] = (unsigned char)(0x80 | length);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(length >> 8);
        frame[3] = (unsigned char)length;
        head = 4;
    }
    memcpy(frame + head, mask, 4);
    head += 4;
    for (size_t i = 0; i < length; i++) frame[head + i] = (unsigned char)payload[i] ^ mask[i & 3];
    return head + length;
}

/* Finds the frame at the start of the bytes and returns its length: 0 if it isn't complete, -1 if it is
   fragmented, compressed or masked. */
static inline long find_frame(const char *bytes, size_t length, struct frame *frame) {
    const unsigned char *b = (const unsigned char *)bytes;
    size_t head = 2, payload;
    if (length < 2) return 0;
    if (!(b[0] & 0x80) || b[0] & 0x70 || b[1] & 0x80) return -1;
    payload = b[1] & 0x7f;
    if (payload == 126) head = 4;
    if (payload == 127) head = 10;
    if (length < head) return 0;
    if (head > 2) payload = 0;
    for (size_t i = 2; i < head; i++) payload = payload << 8 | b[i];
    if (length < head + payload) return 0;
    *frame = (struct frame){b[0] & 0x0f, bytes + head, payload};
    return (long)(head + payload);
}

#endif
