"""What operators see of host applications: metrics, and the audit as the runbook reads it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import psycopg2

from tests.conftest import SharedStack
from tests.e2e.crowd import open_crowd
from tests.e2e.hosts import host_with, new_key
from tests.metrics import scrape_by_labels, scrape_metrics

RUNBOOK = Path(__file__).parents[2] / "shared" / "docs" / "runbook.md"
REQUESTS = "messenger_server_requests_total"


async def test_a_hosts_requests_are_counted_by_operation_and_outcome(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir, "users")
    requests, stored = await scrape_by_labels(stack, REQUESTS), await scrape_metrics(stack, "chat-api")
    checks = await scrape_by_labels(stack, "messenger_server_key_checks_total")
    async with host_with(stack.url, key) as host:
        users = {"users": [{"external_id": f"{key}-{number}"} for number in range(3)]}
        for body in (users, {}, users):
            await host.call("PUT", "/server/users", body=body)
        await host.get("/server/conversations/by-key/none")
        await host.call("PUT", "/server/users", body=b"x" * 300_000)
    requests = await scrape_by_labels(stack, REQUESTS) - requests
    assert requests == {
        "server.user.upsert ok": 2,
        "server.user.upsert invalid_frame": 1,
        "server.user.upsert http_413": 1,
        "server.conversation.by_key key_scope": 1,
    }
    checks = await scrape_by_labels(stack, "messenger_server_key_checks_total") - checks
    assert checks["asked"] in (1, 2)
    assert checks["asked"] + checks["cached"] == 5
    name = "messenger_users_upserted_total"
    assert (await scrape_metrics(stack, "chat-api"))[name] - stored.get(name, 0) == 6


async def test_one_frame_for_each_socket_that_learns_a_name_is_counted(stack: SharedStack) -> None:
    name, key = "messenger_user_updates_total", await asyncio.to_thread(new_key, stack.data_dir, "users")
    async with open_crowd(stack.url, stack.token) as crowd, host_with(stack.url, key) as host:
        one, two = crowd.newcomers(2)
        await one.create_group(two.user_id)
        sockets = [await user.connect() for user in (one, two, two)]
        before = (await scrape_metrics(stack))[name]
        await host.call("PUT", "/server/users", body={"users": [{"id": one.user_id, "name": "Ada"}]})
        for socket in sockets:
            await socket.expect("user.updated")
        assert (await scrape_metrics(stack))[name] - before == len(sockets)


async def test_the_audit_is_read_as_the_runbook_says(stack: SharedStack) -> None:
    key = await asyncio.to_thread(new_key, stack.data_dir, "users")
    async with open_crowd(stack.url, stack.token) as crowd, host_with(stack.url, key) as host:
        one = crowd.newcomer()
        await host.call("PUT", "/server/users", body={"users": [{"id": one.user_id, "name": "Ada"}]})
        await host.post(f"/server/users/{one.user_id}/token", {})
        await host.get("/server/users/9999999")
        await host.get("/server/conversations/by-key/none")
    [statements] = re.findall(r"```sql\n([^`]*server_audit[^`]*)```", RUNBOOK.read_text())
    with psycopg2.connect(stack.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(statements.replace("0123456789ab", key.split("_")[1]))
        assert [row[1:] for row in cursor.fetchall()] == [
            ("server.user.upsert", None),
            ("server.user.token", str(one.user_id)),
            ("server.user.get", "9999999"),
        ]
