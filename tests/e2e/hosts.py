"""Host applications for tests: each has a server key of a running stack."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from messenger_shared.contract.schemas.webhooks import EVENT_TYPES
from messenger_shared.contract.server_keys import SCOPES
from tests.client import User
from tests.stack import MESSENGER

COMMAND_S = 30.0


def run_key(data_dir: Path, *arguments: str) -> str:
    """Runs `messenger key` and returns what it printed; raises CalledProcessError."""
    command = [*MESSENGER, "key", *arguments, "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=True)
    return done.stdout.strip()


def new_key(data_dir: Path, *scopes: str) -> str:
    """Returns a new key with these scopes, or with all."""
    return run_key(data_dir, "create", "a test", "--scopes", ",".join(scopes or SCOPES))


@asynccontextmanager
async def host_with(url: str, key: str) -> AsyncIterator[User]:
    """Yields a client that makes requests with the key."""
    async with aiohttp.ClientSession() as http:
        yield User(http, url, 0, key)


@asynccontextmanager
async def webhook(host: User, url: str, *types: str) -> AsyncIterator[tuple[str, str]]:
    """Makes a webhook and deletes it; yields its path and its secret."""
    path = f"/server/webhooks/{secrets.token_hex(4)}"
    made = await host.call("PUT", path, body={"url": url, "types": types or EVENT_TYPES})
    assert made.status == 200, made
    try:
        yield path, made.body["secret"]
    finally:
        await host.call("DELETE", path)
