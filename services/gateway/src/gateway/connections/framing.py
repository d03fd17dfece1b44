"""Encodes WebSocket frames as a server sends them, so that one encoding can be written to many sockets."""

from typing import Final

PING: Final = b"\x89\x00"


def text_frame(payload: bytes) -> bytes:
    """One unmasked, final text frame (RFC 6455, 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2) + payload
    return b"\x81\x7f" + length.to_bytes(8) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping. `payload` has at most 125 bytes."""
    return bytes((0x8A, len(payload))) + payload
