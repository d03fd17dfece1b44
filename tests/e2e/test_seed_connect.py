"""The seed's first scenario: connecting, over two gateway workers."""

from __future__ import annotations

import base64
import json
import re
import time

import jwt
import pytest

from tests.client import Person
from tests.conftest import PRESENCE_GRACE_MS, SharedStack
from tests.e2e.crowd import Crowd

LIMITS = {
    "frame_bytes": 65_536,
    "content_chars": 10_000,
    "messages_per_s": 30,
    "frames_per_s": 100,
    "max_sockets": 50,
    "typing_ttl_ms": 6_000,
    "resume_max_events": 500,
    "presence_grace_ms": PRESENCE_GRACE_MS,
}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def test_the_first_frame_is_the_seeds_welcome_with_every_limit(crowd: Crowd) -> None:
    person = crowd.newcomer()
    socket = await person.connect()
    welcome = dict(socket.frames[0])
    assert UTC_TIME.fullmatch(welcome.pop("timestamp"))
    assert welcome.pop("session_id")
    assert welcome == {
        "type": "system",
        "event": "connected",
        "message": "Connected to messenger",
        "user_id": person.user_id,
        "protocol": 1,
        "heartbeat_ms": 25_000,
        "limits": LIMITS,
    }


async def test_each_socket_has_a_session_of_its_own(crowd: Crowd) -> None:
    person = crowd.newcomer()
    one, other = await person.connect(), await person.connect()
    assert one.frames[0]["session_id"] != other.frames[0]["session_id"]


@pytest.mark.parametrize("path", ["/ws", "/ws/{user_id}"])
@pytest.mark.parametrize("by", ["header", "subprotocol", "query"])
async def test_the_token_is_taken_from_header_subprotocol_or_query(crowd: Crowd, path: str, by: str) -> None:
    person = crowd.newcomer()
    path = path.format(user_id=person.user_id)
    if by == "header":
        socket = await person.open(path, person.bearer)
    elif by == "subprotocol":
        socket = await person.open(path, None, "messenger.v1", f"bearer.{person.token}")
    else:
        socket = await person.open(f"{path}?token={person.token}")
    await socket.expect("system", event="connected", user_id=person.user_id)
    assert socket.ws.protocol == ("messenger.v1" if by == "subprotocol" else None)


async def test_the_header_goes_before_the_subprotocol_and_that_before_the_query(crowd: Crowd) -> None:
    person, other = crowd.newcomers(2)
    path = f"/ws?token={other.token}"
    offers = ("messenger.v1", f"bearer.{other.token}")
    by_header = await person.open(path, person.bearer, *offers)
    await by_header.expect("system", user_id=person.user_id)
    by_offer = await person.open(path, None, "messenger.v1", f"bearer.{person.token}")
    await by_offer.expect("system", user_id=person.user_id)
    refused = await person.open(f"/ws?token={person.token}", {"Authorization": "Bearer nonsense"})
    assert (await refused.wait_end()).code == 1008


async def assert_refused(person: Person, path: str, token: str | None) -> None:
    """Accepted, then closed with 1008 and a reason that a program can read."""
    headers = None if token is None else {"Authorization": f"Bearer {token}"}
    socket = await person.open(path, headers)
    ended = await socket.wait_end()
    assert ended.code == 1008
    assert len(ended.reason.encode()) <= 123
    assert isinstance(json.loads(ended.reason)["code"], str)
    assert socket.frames == []


def bad_tokens(stack: SharedStack, user_id: int) -> dict[str, str | None]:
    """Tokens of `user_id` that prove nothing, each for another reason."""
    claims = {"sub": str(user_id), "exp": int(time.time()) + 3600}
    head, body, signature = stack.token(user_id).split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return {
        "none at all": None,
        "empty": "",
        "no JWT": "nonsense",
        "expired": stack.token(user_id, ttl=-1),
        "of another secret": jwt.encode(claims, "x" * 64, "HS256"),
        "unsigned": f"{unsigned}.{body}.",
        "cut": f"{head}.{body}.{signature[:-2]}",
        "of another algorithm": jwt.encode(claims, "x" * 64, "HS512"),
    }


async def test_without_a_good_token_the_socket_is_accepted_and_closed_with_1008(
    crowd: Crowd, stack: SharedStack
) -> None:
    person = crowd.newcomer()
    for token in bad_tokens(stack, person.user_id).values():
        await assert_refused(person, f"/ws/{person.user_id}", token)
        await assert_refused(person, "/ws", token)


async def test_a_foreign_or_broken_user_id_in_the_path_is_closed_with_1008(crowd: Crowd) -> None:
    person, other = crowd.newcomers(2)
    for claimed in (
        str(other.user_id),
        f"0{person.user_id}",
        f"+{person.user_id}",
        "0",
        "-1",
        "me",
        "9" * 40,
    ):
        await assert_refused(person, f"/ws/{claimed}", person.token)


@pytest.mark.parametrize("path", ["/ws", "/ws/1"])
async def test_a_plain_request_without_upgrade_gets_401(crowd: Crowd, path: str) -> None:
    reply = await crowd.newcomer().call("GET", path, headers={"authorization": ""})
    assert (reply.status, reply.body["code"]) == (401, "unauthorized")
    assert reply.headers["Content-Type"].startswith("application/problem+json")
