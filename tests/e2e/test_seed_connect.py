"""The seed's first scenario: connecting, over two gateway workers."""

from __future__ import annotations

import base64
import json
import re
import time

import jwt
import pytest

from tests.client import User
from tests.conftest import PRESENCE_GRACE_MS, SharedStack
from tests.e2e.crowd import Crowd

LIMITS = {
    "frame_bytes": 131_072,
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
    user = crowd.newcomer()
    socket = await user.connect()
    welcome = dict(socket.frames[0])
    assert UTC_TIME.fullmatch(welcome.pop("timestamp"))
    assert welcome.pop("session_id")
    assert welcome == {
        "type": "system",
        "event": "connected",
        "message": "Connected to messenger",
        "user_id": user.user_id,
        "features": ["users", "reactions", "pins", "mentions", "search", "push", "files"],
        "protocol": 1,
        "heartbeat_ms": 25_000,
        "limits": LIMITS,
    }


async def test_each_socket_has_a_session_of_its_own(crowd: Crowd) -> None:
    user = crowd.newcomer()
    one, other = await user.connect(), await user.connect()
    assert one.frames[0]["session_id"] != other.frames[0]["session_id"]


@pytest.mark.parametrize("path", ["/ws", "/ws/{user_id}"])
@pytest.mark.parametrize("by", ["header", "subprotocol", "query"])
async def test_the_token_is_taken_from_header_subprotocol_or_query(crowd: Crowd, path: str, by: str) -> None:
    user = crowd.newcomer()
    path = path.format(user_id=user.user_id)
    if by == "header":
        socket = await user.open(path, user.bearer)
    elif by == "subprotocol":
        socket = await user.open(path, None, "messenger.v1", f"bearer.{user.token}")
    else:
        socket = await user.open(f"{path}?token={user.token}")
    await socket.expect("system", event="connected", user_id=user.user_id)
    assert socket.ws.protocol == ("messenger.v1" if by == "subprotocol" else None)


async def test_the_header_goes_before_the_subprotocol_and_that_before_the_query(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    path = f"/ws?token={other.token}"
    offers = ("messenger.v1", f"bearer.{other.token}")
    by_header = await user.open(path, user.bearer, *offers)
    await by_header.expect("system", user_id=user.user_id)
    by_offer = await user.open(path, None, "messenger.v1", f"bearer.{user.token}")
    await by_offer.expect("system", user_id=user.user_id)
    refused = await user.open(f"/ws?token={user.token}", {"Authorization": "Bearer nonsense"})
    assert (await refused.wait_end()).code == 1008


async def assert_refused(user: User, path: str, token: str | None) -> None:
    """Accepted, then closed with 1008 and a machine-readable reason."""
    headers = None if token is None else {"Authorization": f"Bearer {token}"}
    socket = await user.open(path, headers)
    ended = await socket.wait_end()
    assert ended.code == 1008
    assert len(ended.reason.encode()) <= 123
    assert isinstance(json.loads(ended.reason)["code"], str)
    assert socket.frames == []


def bad_tokens(stack: SharedStack, user_id: int) -> dict[str, str | None]:
    """Returns invalid tokens of `user_id`, each for another reason."""
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
    user = crowd.newcomer()
    for token in bad_tokens(stack, user.user_id).values():
        await assert_refused(user, f"/ws/{user.user_id}", token)
        await assert_refused(user, "/ws", token)


async def test_a_foreign_or_broken_user_id_in_the_path_is_closed_with_1008(crowd: Crowd) -> None:
    user, other = crowd.newcomers(2)
    for claimed in (
        str(other.user_id),
        f"0{user.user_id}",
        f"+{user.user_id}",
        "0",
        "-1",
        "me",
        "9" * 40,
    ):
        await assert_refused(user, f"/ws/{claimed}", user.token)


@pytest.mark.parametrize("path", ["/ws", "/ws/1"])
async def test_a_plain_request_without_upgrade_gets_401(crowd: Crowd, path: str) -> None:
    reply = await crowd.newcomer().call("GET", path, headers={"authorization": ""})
    assert (reply.status, reply.body["code"]) == (401, "unauthorized")
    assert reply.headers["Content-Type"].startswith("application/problem+json")
