"""Tests the protocols that the load generator speaks, on frames that the servers sent.

`tests/bench/peers/test_peers.py` has it talk with the servers themselves, where they are installed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bench.programs import compile_hear

SENT = "~~00000000000000050000000000000003"
NEXT = "~~00000000000000050000000000000004"
MESSAGE = f'{{"client_message_id":"{SENT}","content":"{SENT} xxxxx"}}'


class Talk(NamedTuple):
    """What a client hears and says from its connection to its next message."""

    opens: str
    frames: Sequence[str]
    lines: Sequence[str]
    repeat: str


def _hmsg(reply: str, body: str) -> str:
    headers = f"NATS/1.0\r\nNats-Msg-Id: {SENT}\r\n\r\n"
    return f"HMSG room.ROOM 1 {reply} {len(headers)} {len(headers) + len(body)}\r\n{headers}{body}\r\n"


TALKS = {
    "messenger": Talk(
        "/api/v1/messenger/ws/7?token=TOKEN",
        (
            '{"type":"system","event":"connected","message":"Connected"}',
            f'{{"type":"message.sent","message_id":"1","data":{MESSAGE},"duplicate":false}}',
            f'{{"type":"message.new","conversation_id":"ROOM","pos":1,"data":{MESSAGE}}}',
            '{"type":"presence","user_id":8}',
        ),
        (
            "welcomed",
            "answered 3",
            "told 3 of 0",
            "other",
            'says {"type":"message.send","conversation_id":"ROOM",'
            f'"client_message_id":"{NEXT}","content":"{NEXT} xxxxx"}}',
        ),
        f'{{"type":"message.sent","message_id":"1","data":{MESSAGE},"duplicate":true}}',
    ),
    "centrifugo": Talk(
        "/connection/websocket",
        (
            '{"id":1,"connect":{"client":"c","subs":{"room:ROOM":{"recoverable":true}},"ping":25,"pong":true}}',
            '{"id":5,"publish":{}}\n'
            f'{{"push":{{"channel":"room:ROOM","pub":{{"data":{MESSAGE},"info":{{"user":"7"}},"offset":1}}}}}}',
            "{}",
        ),
        (
            'says {"id":1,"connect":{"token":"TOKEN"}}',
            "welcomed",
            "answered 3",
            "told 3 of 0",
            "says {}",
            'says {"id":6,"publish":{"channel":"room:ROOM","data":'
            f'{{"client_message_id":"{NEXT}","content":"{NEXT} xxxxx"}}}}}}',
        ),
        '{"id":9,"error":{"code":103,"message":"permission denied"}}',
    ),
    "nats": Talk(
        "/",
        (
            'INFO {"server_id":"S","headers":true,"auth_required":true,"jetstream":true} \r\n',
            "PONG\r\n",
            _hmsg("_INBOX.7.3", MESSAGE) + _hmsg("_INBOX.8.0", MESSAGE),
            'MSG _INBOX.7.3 2 26\r\n{"stream":"ROOMS","seq":1}\r\nPING\r\n',
        ),
        (
            'says CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"c",'
            '"version":"1","user":"user","pass":"TOKEN"}\\r\\n'
            "SUB room.ROOM 1\\r\\nSUB _INBOX.7.* 2\\r\\nPING\\r\\n",
            "welcomed",
            "told 3 of 0",
            "told 3 of 0",
            "answered 3",
            "says PONG\\r\\n",
            f"says HPUB room.ROOM _INBOX.7.4 61 129\\r\\nNATS/1.0\\r\\nNats-Msg-Id: {NEXT}\\r\\n\\r\\n"
            f'{{"sender_id":7,"content":"{NEXT} xxxxx"}}\\r\\n',
        ),
        'MSG _INBOX.7.3 2 44\r\n{"stream":"ROOMS","seq":1,"duplicate": true}\r\n',
    ),
    "socketio": Talk(
        "/socket.io/?EIO=4&transport=websocket",
        (
            '0{"sid":"S","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
            '40{"sid":"T"}',
            f'42["message",{MESSAGE}]',
            '433[{"id":"1"}]',
            "2",
        ),
        (
            'says 40{"token":"TOKEN"}',
            "welcomed",
            "told 3 of 0",
            "answered 3",
            "says 3",
            f'says 424["send",{{"room":"ROOM","client_message_id":"{NEXT}","content":"{NEXT} xxxxx"}}]',
        ),
        '434[{"error":"not in this room"}]',
    ),
}


@pytest.fixture(scope="module")
def hear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = compile_hear(tmp_path_factory.mktemp("hear"))
    if program is None:
        pytest.skip("there is no C compiler (cc, gcc or clang) to build the load generator with")
    return program


def _lines(hear: Path, dialect: str, *frames: str) -> list[str]:
    sent = "".join(f"{len(frame)}\n{frame}" for frame in frames)
    done = subprocess.run((hear, dialect), input=sent.encode(), capture_output=True, timeout=10, check=False)
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("dialect", TALKS)
def test_a_client_is_welcomed_answered_and_told_and_sends(hear: Path, dialect: str) -> None:
    talk = TALKS[dialect]
    assert _lines(hear, dialect, *talk.frames) == [f"opens {talk.opens}", *talk.lines]


@pytest.mark.parametrize("dialect", TALKS)
def test_a_refusal_or_a_repeat_ends_the_run(hear: Path, dialect: str) -> None:
    talk = TALKS[dialect]
    assert _lines(hear, dialect, *talk.frames[:2], talk.repeat)[-1].startswith("refused: user 7: ")
