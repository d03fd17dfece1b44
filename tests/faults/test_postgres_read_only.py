"""PostgreSQL refuses writes: clients are told to try again, and the service recovers by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psycopg2
import pytest

from tests.client import Socket, User
from tests.conftest import SharedStack, shared_stack
from tests.e2e.crowd import Crowd, open_crowd
from tests.refusals import MISTAKES, NOT_NOW_CODES
from tests.waiting import eventually

# An orchestrator has to see it by then.
KNOWN_S = 10.0
# Below the rate at which a user may send, also while all is refused.
PAUSE_S = 0.05
PLANTED = """
CREATE TABLE public.planted (code text);
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE planted text;
BEGIN
    SELECT code INTO planted FROM public.planted;
    IF FOUND THEN
        RAISE EXCEPTION 'planted' USING ERRCODE = planted;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON messenger.messages FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OF title ON messenger.conversations
   FOR EACH ROW EXECUTE FUNCTION public.refuse();
"""


class Server:
    """The stack's PostgreSQL, from its administrator's point of view."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs the statements and returns the rows of the last one."""
        return await asyncio.to_thread(self._run, *statements)

    async def take_writes(self, *, on: bool) -> None:
        change = "RESET default_transaction_read_only" if on else "SET default_transaction_read_only = on"
        await self.run(f"ALTER SYSTEM {change}", "SELECT pg_reload_conf()")

    @contextlib.asynccontextmanager
    async def refusing(self, code: str) -> AsyncIterator[None]:
        """While it is open, writes of messages and titles fail with this SQLSTATE."""
        await self.run(f"INSERT INTO public.planted VALUES ('{code}')")
        try:
            yield
        finally:
            await self.run("DELETE FROM public.planted")

    def _run(self, *statements: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self._url, options="-c default_transaction_read_only=off")
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Any) -> Iterator[SharedStack]:
    """Yields a stack whose PostgreSQL no other test uses."""
    with shared_stack(tmp_path_factory.mktemp("refusing") / "data", unused_tcp_port_factory()) as own:
        yield own


@pytest.fixture
async def crowd(own: SharedStack) -> AsyncIterator[Crowd]:
    async with open_crowd(own.url, own.token) as crowd:
        yield crowd


@pytest.fixture
async def server(own: SharedStack) -> Server:
    server = Server(own.database_url)
    if not (await server.run("SELECT to_regclass('public.planted')"))[0][0]:
        await server.run(PLANTED)
    return server


async def health_of(url: str) -> tuple[int, dict[str, Any]]:
    """Returns the status and body of /readyz of any worker."""
    async with (
        aiohttp.ClientSession(headers={"Connection": "close"}) as http,
        http.get(f"{url}/readyz") as response,
    ):
        return response.status, await response.json()


async def is_known(own: SharedStack, *, writes: bool) -> bool:
    """Whether workers of both services report this state; the gateway stays ready either way."""
    status, body = await health_of(own.address("chat-api"))
    gateway, health = await health_of(own.url)
    assert (gateway, health["ready"], health["checks"]["redis"]) == (200, True, True)
    assert body == {"ready": status == 200, "checks": {"redis": True, "postgresql": status == 200}}
    return (status == 200) == writes and health["checks"]["chat-api"] == ("ok" if writes else "degraded")


@dataclass
class Sending:
    """Sends all the time; keeps the acked messages and the other answers."""

    socket: Socket
    room: str
    acked: list[str] = field(default_factory=list)
    refused: set[tuple[str, bool]] = field(default_factory=set)

    async def run(self) -> None:
        for number in range(1_000_000):
            content = str(number)
            answer = await self.socket.request("message.send", conversation_id=self.room, content=content)
            if answer["type"] == "error":
                self.refused.add((answer["code"], answer["retryable"]))
            else:
                self.acked.append(content)
            await asyncio.sleep(PAUSE_S)


async def stored(user: User, room: str) -> list[str]:
    texts: list[str] = []
    before: dict[str, Any] = {}
    while True:
        page = (await user.get(f"/conversations/{room}/messages", limit=100, **before)).body
        texts += [item["content"] for item in page["items"]]
        if page["next_cursor"] is None:
            return texts
        before = {"cursor": page["next_cursor"]}


async def refuses_writes(one: User, socket: Socket, room: str) -> None:
    answer = await socket.request("message.send", conversation_id=room, content="refused")
    assert (answer["code"], answer["retryable"]) == ("unavailable", True)
    for method, path, body in (
        ("POST", f"/conversations/{room}/messages", {"content": "refused"}),
        ("PATCH", f"/conversations/{room}", {"title": "refused"}),
        ("POST", "/conversations", {"type": "group", "title": "refused", "participant_ids": []}),
    ):
        reply = await one.call(method, path, body=body)
        assert (reply.status, reply.body["code"], reply.body["retryable"]) == (503, "unavailable", True)
        assert int(reply.headers["Retry-After"]) >= 1


async def serves_reads(one: User, socket: Socket, room: str) -> None:
    assert (await one.get(f"/conversations/{room}")).body["title"] == "a group"
    assert (await one.get(f"/conversations/{room}/messages")).status == 200
    assert (await socket.request("subscribe", conversation_id=room))["type"] == "subscribed"


async def test_read_only_is_unavailable_and_red_and_heals_by_itself(
    own: SharedStack, crowd: Crowd, server: Server
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    socket, leaving = await one.connect(), await two.connect()
    sending = Sending(await one.connect(), room)
    task = asyncio.create_task(sending.run())
    await eventually(lambda: is_known(own, writes=True))
    await server.take_writes(on=False)
    try:
        await eventually(lambda: is_known(own, writes=False), KNOWN_S)
        await refuses_writes(one, socket, room)
        await serves_reads(one, socket, room)
        await leaving.close()
        await socket.expect("user.offline", user_id=two.user_id)
    finally:
        await server.take_writes(on=True)
    await eventually(lambda: is_known(own, writes=True), KNOWN_S)
    count = len(sending.acked)
    await eventually(lambda: asyncio.sleep(0, len(sending.acked) > count + 3))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sending.refused == {("unavailable", True)}
    assert set(sending.acked) <= set(texts := await stored(one, room))
    assert len(texts) == len(set(texts))
    assert "refused" not in texts
    await eventually(lambda: is_noted(server, two), KNOWN_S)
    assert "Traceback" not in own.log()


async def is_noted(server: Server, user: User) -> bool:
    """Whether the user's last-seen time is stored."""
    rows = await server.run(f"SELECT 1 FROM presence.last_seen WHERE user_id = {user.user_id}")
    return len(rows) == 1


async def outcomes(one: User, socket: Socket, room: str) -> list[tuple[Any, ...]]:
    """Returns how a batched and a plain statement end, over the socket and over REST."""
    frame = await socket.request("message.send", conversation_id=room, content="x")
    sent = await one.post(f"/conversations/{room}/messages", {"content": "x"})
    renamed = await one.call("PATCH", f"/conversations/{room}", body={"title": "another"})
    return [
        (frame.get("code"), frame.get("retryable")),
        *((reply.status, reply.body.get("code"), reply.body.get("retryable")) for reply in (sent, renamed)),
    ]


@pytest.mark.parametrize("code", NOT_NOW_CODES)
async def test_not_now_is_told_as_unavailable_by_both_doors(crowd: Crowd, server: Server, code: str) -> None:
    one = crowd.newcomer()
    room, socket = await one.create_group(), await one.connect()
    async with server.refusing(code):
        later = (503, "unavailable", True)
        assert await outcomes(one, socket, room) == [later[1:], later, later]
    assert (await socket.request("message.send", conversation_id=room, content="x"))["type"] == "message.sent"


@pytest.mark.parametrize("code", MISTAKES)
async def test_a_mistake_of_ours_is_told_as_internal(crowd: Crowd, server: Server, code: str) -> None:
    one = crowd.newcomer()
    room, socket = await one.create_group(), await one.connect()
    async with server.refusing(code):
        broken = (500, "internal", True)
        assert await outcomes(one, socket, room) == [broken[1:], broken, broken]


async def test_no_server_at_all_is_degraded_too(own: SharedStack, crowd: Crowd, server: Server) -> None:
    """Logins are refused, which stands for a server that is away."""
    one = crowd.newcomer()
    room, socket = await one.create_group(), await one.connect()
    kick = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'messenger_chat'"
    await server.run("ALTER ROLE messenger_chat NOLOGIN", kick)
    try:
        await eventually(lambda: is_known(own, writes=False), KNOWN_S)
        answer = await socket.request("message.send", conversation_id=room, content="x")
        assert (answer["code"], answer["retryable"]) == ("unavailable", True)
    finally:
        await server.run("ALTER ROLE messenger_chat LOGIN")
    await eventually(lambda: is_known(own, writes=True), KNOWN_S)
    answer = await socket.request("message.send", conversation_id=room, content="x")
    assert answer["type"] == "message.sent"
