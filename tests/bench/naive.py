"""The yardstick: a one-file server that a team would write in a day, as simple as possible.

One process, one INSERT per message, `send_str` in a loop. It speaks just enough of the protocol for the load
generator. It is not part of the product: do not make it faster.
"""

import argparse
import contextlib
import os
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiopg
import jwt
import orjson
from aiohttp import WSMsgType, web

POOL = web.AppKey("pool", aiopg.Pool)
MEMBERS = web.AppKey("members", dict[str, set[int]])
COUNTS = web.AppKey("counts", Counter)
SOCKETS = web.AppKey("sockets", dict[int, set[web.WebSocketResponse]])

MESSAGE = ("id", "conversation_id", "sender_id", "client_message_id", "content", "created_at")
SCHEMA = """
CREATE TABLE IF NOT EXISTS naive_messages (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL,
    sender_id bigint NOT NULL,
    client_message_id text,
    content text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS naive_messages_by_time ON naive_messages (conversation_id, created_at);
CREATE TABLE IF NOT EXISTS naive_reads (
    user_id bigint, message_id uuid, read_at timestamptz NOT NULL, PRIMARY KEY (user_id, message_id)
);
"""
INSERT = "INSERT INTO naive_messages VALUES (%s, %s, %s, %s, %s, %s)"
READ = "INSERT INTO naive_reads VALUES (%s, %s, now()) ON CONFLICT DO NOTHING"
SINCE = """
SELECT id, conversation_id, sender_id, client_message_id, content, created_at
  FROM naive_messages WHERE conversation_id = %s ORDER BY created_at OFFSET %s LIMIT 500
"""


def user_of(token: str) -> int:
    """Returns the user of this token."""
    return int(jwt.decode(token, os.environ["MESSENGER_JWT_SECRET"], algorithms=["HS256"])["sub"])


def dumps(frame: dict[str, Any]) -> str:
    """Returns the frame as JSON text."""
    return orjson.dumps(frame).decode()


async def create_conversation(request: web.Request) -> web.Response:
    """POST /conversations."""
    user_id = user_of(request.headers["Authorization"].removeprefix("Bearer "))
    body = await request.json()
    conversation_id = str(uuid.uuid4())
    request.app[MEMBERS][conversation_id] = {user_id, *body["participant_ids"]}
    return web.json_response({"id": conversation_id}, status=201)


async def send_message(request: web.Request) -> web.Response:
    """POST /conversations/{id}/messages."""
    user_id = user_of(request.headers["Authorization"].removeprefix("Bearer "))
    frame = await request.json() | {"conversation_id": request.match_info["conversation_id"]}
    message = await store(request.app[POOL], user_id, frame)
    await announce(request.app, message)
    return web.json_response(text=dumps(message), status=201)


async def socket(request: web.Request) -> web.WebSocketResponse:
    """GET /ws/{user_id}: serves one client from its welcome to its end."""
    user_id = user_of(request.query["token"])
    ws = web.WebSocketResponse(heartbeat=25)
    await ws.prepare(request)
    now = datetime.now(UTC)
    await ws.send_str(
        dumps({"type": "system", "event": "connected", "message": "Connected", "timestamp": now})
    )
    sockets = request.app[SOCKETS]
    sockets[user_id].add(ws)
    try:
        async for frame in ws:
            if frame.type is WSMsgType.TEXT:
                await handle(request.app, ws, user_id, orjson.loads(frame.data))
    finally:
        sockets[user_id].discard(ws)
    return ws


async def handle(
    app: web.Application, ws: web.WebSocketResponse, user_id: int, frame: dict[str, Any]
) -> None:
    """Carries out one command."""
    if frame["type"] == "resume":
        await replay(app[POOL], ws, frame["positions"])
    elif frame["type"] == "message.read":
        async with app[POOL].acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(READ, (user_id, frame["message_id"]))
        await ws.send_str(dumps({"type": "read.confirmed", "message_id": frame["message_id"]}))
    elif user_id not in app[MEMBERS].get(frame["conversation_id"], ()):
        await ws.send_str(dumps({"type": "error", "message": "Not found", "code": "not_found"}))
    elif frame["type"] == "typing.start":
        await tell(app, frame["conversation_id"], frame | {"user_id": user_id})
    elif frame["type"] == "message.send":
        message = await store(app[POOL], user_id, frame)
        await ws.send_str(dumps({"type": "message.sent", "message_id": message["id"], "data": message}))
        await announce(app, message)


async def announce(app: web.Application, message: dict[str, Any]) -> None:
    """Sends a message to the members of its conversation."""
    conversation_id = message["conversation_id"]
    app[COUNTS][conversation_id] += 1
    pos = app[COUNTS][conversation_id]
    event = {"type": "message.new", "conversation_id": conversation_id, "pos": pos, "data": message}
    await tell(app, conversation_id, event)


async def tell(app: web.Application, conversation_id: str, event: dict[str, Any]) -> None:
    """Sends an event to every socket of every member."""
    text = dumps(event)
    for member in app[MEMBERS][conversation_id]:
        for other in list(app[SOCKETS].get(member, ())):
            with contextlib.suppress(ConnectionResetError):
                await other.send_str(text)


async def replay(pool: aiopg.Pool, ws: web.WebSocketResponse, positions: dict[str, int]) -> None:
    """Sends what came after the positions."""
    for conversation_id, pos in positions.items():
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(SINCE, (conversation_id, pos))
            rows = await cursor.fetchall()
        for number, row in enumerate(rows, pos + 1):
            message = dict(zip(MESSAGE, row, strict=True))
            event = {"replay": True, "type": "message.new", "conversation_id": conversation_id, "pos": number}
            await ws.send_str(dumps(event | {"data": message}))
    await ws.send_str(dumps({"type": "resumed", "conversations": {}}))


async def store(pool: aiopg.Pool, user_id: int, frame: dict[str, Any]) -> dict[str, Any]:
    """Stores the message with one INSERT, committed when it returns; returns it as clients see it."""
    values = (
        str(uuid.uuid4()),
        frame["conversation_id"],
        user_id,
        frame.get("client_message_id"),
        frame["content"],
        datetime.now(UTC),
    )
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(INSERT, values)
    return dict(zip(MESSAGE, values, strict=True)) | {"message_type": "text"}


async def database(app: web.Application) -> AsyncIterator[None]:
    """Keeps the connection pool open while the server runs."""
    async with aiopg.create_pool(os.environ["MESSENGER_DATABASE_URL"], minsize=10, maxsize=10) as pool:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(SCHEMA)
        app[POOL] = pool
        yield


def create_app() -> web.Application:
    """Builds the whole server."""
    app = web.Application()
    sockets: dict[int, set[web.WebSocketResponse]] = defaultdict(set)
    app[MEMBERS] = {}
    app[COUNTS] = Counter()
    app[SOCKETS] = sockets
    app.cleanup_ctx.append(database)
    app.router.add_post("/api/v1/messenger/conversations", create_conversation)
    app.router.add_post("/api/v1/messenger/conversations/{conversation_id}/messages", send_message)
    app.router.add_get("/api/v1/messenger/ws/{user_id}", socket)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    web.run_app(create_app(), host="127.0.0.1", port=parser.parse_args().port, print=None, access_log=None)
