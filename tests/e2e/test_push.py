"""Push from end to end: browsers subscribe, messages reach them, and traces tell why or why not."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.hosts import COMMAND_S, host_with, new_key
from tests.push.service import Browser, PushService, push_service
from tests.stack import MESSENGER

SUBSCRIPTIONS = "/push/subscriptions"
# Who is in the room, apart from the sender: what their settings are, and which rule says no.
PEOPLE: dict[str, tuple[dict[str, Any], str | None]] = {
    "aside": ({}, None),
    "mentioned": ({"notify": "mentions"}, None),
    "unmentioned": ({"notify": "mentions"}, "notify"),
    "muted": ({"muted": True}, "muted"),
    "reader": ({}, "read"),
    "looker": ({}, "looking"),
    "away": ({}, None),
    "quiet": ({}, "quiet_hours"),
}


@pytest.fixture
async def service(stack: SharedStack) -> AsyncIterator[PushService]:
    assert stack.data_dir, "only a stack of its own pushes to a service on this machine"
    async with push_service() as made:
        yield made


async def subscribed(user: User, service: PushService) -> Browser:
    """Returns a browser of the user's that has subscribed."""
    browser = service.browser()
    key = (await user.get("/push/key")).body["public_key"]
    reply = await user.call("PUT", SUBSCRIPTIONS, body=browser.subscription(application_server_key=key))
    assert reply.status == HTTPStatus.OK
    assert reply.body["application_server_key"] == key
    return browser


async def trace(user: User, message_id: str, path: str = "", **query: Any) -> Any:
    """Returns the trace of a message."""
    reply = await user.get(f"{path}/messages/{message_id}/notification-trace", **query)
    assert reply.status == HTTPStatus.OK
    return reply.body


def said_no(trace: Any) -> list[str]:
    """Returns the rules that said no."""
    return [one["rule"] for one in trace["rules"] if one["verdict"] == "skip"]


class Tea(NamedTuple):
    """A conversation whose members have all kinds of reasons to be pushed its message, or not."""

    room: str
    message_id: str
    sender: User
    people: dict[str, User]
    browsers: dict[str, Browser]


async def prepared(crowd: Crowd, service: PushService) -> Tea:
    """Returns the conversation right after its message was sent."""
    sender, *members = crowd.newcomers(1 + len(PEOPLE))
    people = dict(zip(PEOPLE, members, strict=True))
    room = await sender.create_group(*(user.user_id for user in members), title="Tea")
    browsers = {name: await subscribed(user, service) for name, user in people.items()}
    for name, (settings, _) in PEOPLE.items():
        if settings:
            await people[name].call("PUT", f"/conversations/{room}/settings", body=settings)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    hours = {"start": f"{now - hour:%H:%M}", "end": f"{now + hour:%H:%M}", "timezone": "UTC"}
    await people["quiet"].call("PUT", "/push/settings", body={"quiet_hours": hours})
    for name in ("looker", "away"):
        socket = await people[name].connect()
        await socket.request("subscribe", conversation_id=room)
        if name == "away":
            await socket.request("presence.set", status="away")
    mentions = {"user_ids": [people["mentioned"].user_id]}
    sent = await sender.post(f"/conversations/{room}/messages", {"content": "tea?", "mentions": mentions})
    await people["reader"].call("PUT", f"/conversations/{room}/read", body={"seq": 1})
    return Tea(room, sent.body["id"], sender, people, browsers)


async def decided(tea: Tea, service: PushService) -> None:
    """Returns when everybody's browser has something: the message, or a test that was asked for later."""
    pushed = {name for name, (_, rule) in PEOPLE.items() if rule is None}
    await service.until(lambda: all(tea.browsers[name].arrived for name in pushed))
    for name in PEOPLE.keys() - pushed:
        assert (await tea.people[name].post("/push/test", {})).status == HTTPStatus.ACCEPTED
    await service.until(lambda: all(browser.arrived for browser in tea.browsers.values()))


async def test_who_should_know_is_pushed_and_who_reads_elsewhere_is_told(
    crowd: Crowd, stack: SharedStack, service: PushService
) -> None:
    tea = await prepared(crowd, service)
    assert (await trace(tea.people["aside"], tea.message_id))["outcome"] == "waiting"
    await decided(tea, service)
    for name, (_, rule) in PEOPLE.items():
        told = await trace(tea.people[name], tea.message_id)
        assert len(tea.browsers[name].payloads) == 1, (name, tea.browsers[name].payloads)
        [payload] = tea.browsers[name].payloads
        expected = ("message", "pushed", []) if rule is None else ("test", "skipped", [rule])
        assert (payload["type"], told["outcome"], said_no(told)) == expected, name
        assert told["decided_at"] is not None
    [payload] = tea.browsers["mentioned"].payloads
    assert (payload["text"], payload["mention"], payload["badge"]) == ("tea?", True, 1)
    assert payload["conversation"] == {"type": "group", "title": "Tea"}
    # Read elsewhere: only who was pushed is told.
    aside, muted = tea.browsers["aside"], tea.browsers["muted"]
    for name in ("aside", "muted"):
        await tea.people[name].call("PUT", f"/conversations/{tea.room}/read", body={"seq": 1})
    await service.until(lambda: len(aside.arrived) == 2)
    assert aside.payloads[1] == {"type": "read", "conversation_id": tea.room, "seq": 1, "badge": 0}
    assert len(muted.arrived) == 1
    await check_traces_for_the_host(tea, stack)


async def check_traces_for_the_host(tea: Tea, stack: SharedStack) -> None:
    """The host learns of any member, and has to name one."""
    async with host_with(stack.url, new_key(stack.data_dir, "messages")) as host:
        for user, rules in (
            (tea.people["muted"], ["muted"]),
            (tea.sender, ["sender", "no_device", "read"]),
        ):
            told = await trace(host, tea.message_id, "/server", user_id=user.user_id)
            assert said_no(told) == rules
        missing = await host.get(f"/server/messages/{tea.message_id}/notification-trace")
        assert (missing.status, list(missing.body["errors"])) == (422, ["user_id"])


async def test_a_subscription_is_checked_stored_moved_and_removed(crowd: Crowd, service: PushService) -> None:
    one, two = crowd.newcomers(2)
    browser = service.browser()
    good = browser.subscription()
    off_curve = {"p256dh": "BA" + "A" * 84 + "E", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}
    for changed, code, field in (
        *(
            ({"endpoint": url}, "bad_endpoint", "endpoint")
            for url in (
                *("http://10.0.0.1/x", "https://10.0.0.1/x", "https://[::ffff:169.254.169.254]/"),
                *("https://user@push.example/x", "javascript:alert(1)", "x"),
            )
        ),
        ({"keys": good["keys"] | {"p256dh": "BAAA"}}, "bad_endpoint", "keys"),
        ({"keys": good["keys"] | {"auth": "AAAA"}}, "bad_endpoint", "keys"),
        ({"keys": off_curve}, "bad_endpoint", "keys"),
        ({"keys": None}, "invalid_frame", "keys"),
        ({"kind": "fcm"}, "invalid_frame", "kind"),
        ({"application_server_key": good["keys"]["p256dh"]}, "invalid_frame", "application_server_key"),
    ):
        reply = await one.call("PUT", SUBSCRIPTIONS, body=good | changed)
        assert (reply.status, reply.body["code"], list(reply.body["errors"])) == (422, code, [field]), changed
    assert (await one.post("/push/test", {})).status == HTTPStatus.NOT_FOUND
    stored = await one.call("PUT", SUBSCRIPTIONS, body=good)
    again = await one.call("PUT", SUBSCRIPTIONS, body=good)
    assert stored.body == again.body
    assert stored.body.keys() == {"kind", "endpoint", "application_server_key", "created_at"}
    # Another user at the same browser.
    await two.call("PUT", SUBSCRIPTIONS, body=good)
    removed = {"endpoint": browser.endpoint}
    assert (await one.call("DELETE", SUBSCRIPTIONS, body=removed)).status == HTTPStatus.NO_CONTENT
    assert (await two.post("/push/test", {})).body == {"subscriptions": 1}
    await service.until(lambda: browser.payloads == [{"type": "test", "badge": 0}])
    for _ in range(2):
        assert (await two.call("DELETE", SUBSCRIPTIONS, body=removed)).status == HTTPStatus.NO_CONTENT
    answers = [(await two.post("/push/test", {})).status for _ in range(4)]
    assert HTTPStatus.NOT_FOUND in answers
    assert HTTPStatus.TOO_MANY_REQUESTS in answers


async def test_settings_of_pushes_are_kept(crowd: Crowd) -> None:
    user = crowd.newcomer()
    assert (await user.get("/push/settings")).body == {"quiet_hours": None}
    for hours in ({"start": "22:00", "end": "07:30", "timezone": "Asia/Seoul"}, None):
        reply = await user.call("PUT", "/push/settings", body={"quiet_hours": hours})
        assert (reply.status, reply.body) == (200, {"quiet_hours": hours})
        assert (await user.get("/push/settings")).body == {"quiet_hours": hours}


async def test_an_operator_rotates_the_key(crowd: Crowd, stack: SharedStack, service: PushService) -> None:
    def push_key(command: str) -> str:
        arguments = [*MESSENGER, "push-key", command, "--data-dir", str(stack.data_dir)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=COMMAND_S, check=True)
        return done.stdout.strip()

    user = crowd.newcomer()
    old = await subscribed(user, service)
    before = (await user.get("/push/key")).body["public_key"]
    rotated = await asyncio.to_thread(push_key, "rotate")
    assert (await user.get("/push/key")).body["public_key"] == rotated != before
    new = await subscribed(user, service)
    await user.post("/push/test", {})
    await service.until(lambda: bool(old.arrived and new.arrived))
    assert (old.arrived[0].key, new.arrived[0].key) == (before, rotated)
    head, first, *_ = (await asyncio.to_thread(push_key, "list")).splitlines()
    assert head.split("\t") == ["PUBLIC KEY", "CREATED", "DEVICES"]
    assert first.split("\t")[0] == rotated
