"""A stack whose PostgreSQL was left read-only reports that in one line, with the possible cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from tests.stack import StackFailed, launch, running_stack

WORKERS = "gateway=1,chat-api=1,presence=1"


def make_read_only(url: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    connection.close()


async def test_a_start_on_a_read_only_database_ends_with_the_reason(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    port = unused_tcp_port_factory()
    async with running_stack(tmp_path / "data", port, WORKERS) as stack:
        make_read_only(stack.database_url)
    failing = await launch(tmp_path / "data", port, WORKERS)
    with pytest.raises(StackFailed, match=r"in a read-only transaction, .*/postgresql\.auto\.conf"):
        await failing.wait_ready()
    assert failing.process.returncode == 1
    assert "Traceback" not in failing.output
