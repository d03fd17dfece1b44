"""Probe."""

import asyncio, json
import pytest
from tests.e2e.crowd import Crowd
from tests.e2e.placement import *
from tests.e2e.test_seed_scenarios import subscribed


async def test_max_sockets(crowd):
    p = crowd.newcomer()
    ss = [await p.connect() for _ in range(50)]
    s = await p.open("/ws", p.bearer)
    e = await s.wait_end(2)
    assert e.code == 4504, e


async def test_flood(crowd):
    p = crowd.newcomer()
    room = await p.create_group()
    s = await p.connect()
    for i in range(70):
        await s.send("message.send", conversation_id=room, content=str(i), ref=f"x{i}")
    await s.wait(lambda f: f.get("ref") == "x69")
    print(len(s.collected("error", code="rate_limited")), s.collected("error")[:1])
    assert s.collected("error")


async def test_flood_close(crowd):
    p = crowd.newcomer()
    s = await p.connect()
    for i in range(1000):
        if s.ended:
            break
        await s.send("ping")
    e = await s.wait_end(5)
    print(e)
    assert e.code == 4006


async def test_online_race(crowd, stack):
    pids = workers(stack.status(), "gateway")
    bad = 0
    for i in range(60):
        a, b = crowd.newcomers(2)
        room = await a.create_group(b.user_id)
        s = await a.connect()
        t = asyncio.create_task(b.connect())
        await asyncio.sleep(0.0005 * i % 0.02)
        f = await s.request("subscribe", conversation_id=room)
        await t
        if b.user_id not in f["online"]:
            try:
                await s.expect("user.online", user_id=b.user_id)
            except AssertionError:
                bad += 1
                print("MISSED", i)
        await a.leave()
        await b.leave()
    assert not bad


async def test_quick_flap(crowd):
    a, b = crowd.newcomers(2)
    room = await a.create_group(b.user_id)
    s = await subscribed(await a.connect(), room)
    for i in range(10):
        w = await b.connect()
        await w.close()
    w = await b.connect()
    await asyncio.sleep(3)
    seq = [f["type"] for f in s.frames if f.get("user_id") == b.user_id]
    print(seq)
    f = await s.request("subscribe", conversation_id=room)
    assert seq[-1:] == ["user.online"] and b.user_id in f["online"]
    assert all(x != y for x, y in zip(seq, seq[1:]))


async def test_storm_joins(crowd):
    # created while connecting; nothing between is lost to the client that reads history
    a, b = crowd.newcomers(2)
    sa = await a.connect()
    for i in range(30):
        t = asyncio.create_task(b.connect())
        room = await a.create_group(b.user_id)
        s = await t
        r = [await sa.request("message.send", conversation_id=room, content="x")]
        await s.expect("message.new", conversation_id=room)
        await sa.expect("message.new", conversation_id=room)
        await b.leave()


async def test_abrupt(crowd):
    a, b = crowd.newcomers(2)
    room = await a.create_group(b.user_id)
    s = await subscribed(await a.connect(), room)
    w = await b.connect()
    await s.expect("user.online", user_id=b.user_id)
    w.ws._response.connection.transport.abort()
    await s.expect("user.offline", user_id=b.user_id)


async def test_badutf8(crowd):
    a = crowd.newcomer()
    w = await a.connect()
    from aiohttp import WSMsgType

    await w.ws._writer.send_frame(b"\xff\xfe", WSMsgType.TEXT)
    e = await w.wait_end()
    assert e.code == 1007, e
