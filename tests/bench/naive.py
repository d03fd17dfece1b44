"""Owns the yardstick: the one-file server that a team would write in a day, as plain as it gets.

One process, one INSERT a message, `send_str` in a loop. It speaks just enough of the protocol for the load
generator, and it is not part of the product: nothing of it is to be made faster.
"""

import argparse
import os
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiopg
import jwt
import orjson
from aiohttp import WSMsgType, web

POOL = web.AppKey("pool", aiopg.Pool)
MEMBERS = web.AppKey("members", dict[str, set[int]])
SOCKETS = web.AppKey("sockets", dict[int, set[web.WebSocketResponse]])

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
"""
INSERT = "INSERT INTO naive_messages VALUES (%s, %s, %s, %s, %s, %s)"


def user_of(token: str) -> int:
    """The user whose token this is."""
    return int(jwt.decode(token, os.environ["MESSENGER_JWT_SECRET"], algorithms=["HS256"])["sub"])


def dumps(frame: dict[str, Any]) -> str:
    """The frame as JSON text."""
    return orjson.dumps(frame).decode()


async def create_conversation(request: web.Request) -> web.Response:
    """POST /conversations."""
    user_id = user_of(request.headers["Authorization"].removeprefix("Bearer "))
    body = await request.json()
    conversation_id = str(uuid.uuid4())
    request.app[MEMBERS][conversation_id] = {user_id, *body["participant_ids"]}
    return web.json_response({"id": conversation_id}, status=201)


async def healthy(_request: web.Request) -> web.Response:
    """GET /readyz."""
    return web.json_response({"status": "ok"})


async def socket(request: web.Request) -> web.WebSocketResponse:
    """GET /ws/{user_id}: one client from its welcome to its end."""
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
    """Stores one message, answers its sender, and tells the members."""
    conversation_id = frame["conversation_id"]
    members = app[MEMBERS].get(conversation_id, set())
    if frame["type"] != "message.send" or user_id not in members:
        await ws.send_str(dumps({"type": "error", "message": "Not found", "code": "not_found"}))
        return
    message = await store(app[POOL], user_id, frame)
    await ws.send_str(dumps({"type": "message.sent", "message_id": message["id"], "data": message}))
    text = dumps({"type": "message.new", "conversation_id": conversation_id, "data": message})
    for member in members:
        for other in list(app[SOCKETS].get(member, ())):
            await other.send_str(text)


async def store(pool: aiopg.Pool, user_id: int, frame: dict[str, Any]) -> dict[str, Any]:
    """One INSERT, committed when it returns; the message as clients see it."""
    message = {
        "id": str(uuid.uuid4()),
        "conversation_id": frame["conversation_id"],
        "sender_id": user_id,
        "client_message_id": frame.get("client_message_id"),
        "content": frame["content"],
        "created_at": datetime.now(UTC),
    }
    async with pool.acquire() as connection, connection.cursor() as cursor:
        await cursor.execute(INSERT, tuple(message.values()))
    return message | {"message_type": "text"}


async def database(app: web.Application) -> AsyncIterator[None]:
    """The connection pool, for as long as the server runs."""
    async with aiopg.create_pool(os.environ["MESSENGER_DATABASE_URL"], minsize=10, maxsize=10) as pool:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(SCHEMA)
        app[POOL] = pool
        yield


def create_app() -> web.Application:
    """The whole server."""
    app = web.Application()
    sockets: dict[int, set[web.WebSocketResponse]] = defaultdict(set)
    app[MEMBERS] = {}
    app[SOCKETS] = sockets
    app.cleanup_ctx.append(database)
    app.router.add_get("/readyz", healthy)
    app.router.add_post("/api/v1/messenger/conversations", create_conversation)
    app.router.add_get("/api/v1/messenger/ws/{user_id}", socket)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    web.run_app(create_app(), host="127.0.0.1", port=parser.parse_args().port, print=None, access_log=None)
