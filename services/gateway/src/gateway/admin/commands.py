"""Runs admin commands over the bus: python -m gateway.admin.commands stats|post|key|push-key and so on.

They need no token and no HTTP route: anybody who can log in to Redis as the gateway can run them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from gateway.admin.key_commands import Work, add_key_commands
from gateway.admin.push_key_commands import add_push_key_commands
from gateway.sockets.commands import ask
from messenger_shared.bus import channels, revocations
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.bus.redis_client import client, step
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import MAX_INTEGER, SERVER
from messenger_shared.contract.json_codec import holds_forbidden_text
from messenger_shared.contract.operations.internal import operators
from messenger_shared.contract.operations.operation import CHAT_API, PRESENCE, Body, Operation
from messenger_shared.contract.operations.presence import STATS
from messenger_shared.contract.operations.push import keys as push_keys
from messenger_shared.contract.operations.server import keys as server_keys
from messenger_shared.contract.tokens import parse_user_id
from messenger_shared.rpc.client import RpcClient
from messenger_shared.runtime.service import worker_id
from messenger_shared.settings.common import REDIS_URL
from messenger_shared.settings.environment import Environment, SettingsError

# Gives the URLs of the bus's Redis servers for a parsed command line.
Urls = Callable[[argparse.Namespace], Sequence[str]]
# Asks a service: an operation and its fields.
Ask = Callable[[Operation, Body], Awaitable[Any]]
_WORKER_NAME: Final = "operator"


class OperatorError(Exception):
    """The command failed; the text says why, in one line."""


def add_commands(commands: Any, urls: Urls) -> list[argparse.ArgumentParser]:
    """Adds the admin commands to a parser's. The default `command` of each runs it and prints the result."""

    def add(name: str, help_text: str, work: Work, to: Any = commands) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = to.add_parser(name, help=help_text)
        parser.set_defaults(command=lambda options: print(_run(work, urls(options), options)))
        return parser

    stats = add("stats", "print statistics of all gateways", _stats)
    disconnect = add("disconnect", "close a user's sockets and revoke their tokens", _disconnect)
    disconnect.add_argument("user_id", metavar="USER_ID", type=user_id)
    close = add("close", "close a conversation for all members, permanently", _close)
    post = add("post", "post a system message in a conversation", _post)
    for parser in (close, post):
        parser.add_argument("conversation_id", metavar="CONVERSATION_ID")
    post.add_argument("text", metavar="TEXT")
    keys = commands.add_parser("key", help="make, list and revoke the keys of host applications")
    key_commands = keys.add_subparsers(required=True, metavar="COMMAND")
    key_parsers = add_key_commands(partial(add, to=key_commands), _ask)
    push_keys = commands.add_parser("push-key", help="list and rotate the keys that push services know")
    push_key_commands = push_keys.add_subparsers(required=True, metavar="COMMAND")
    push_key_parsers = add_push_key_commands(partial(add, to=push_key_commands), _ask)
    return [stats, disconnect, close, post, *key_parsers, *push_key_parsers]


def user_id(text: str) -> int:
    """The user id that an argument names; raises argparse.ArgumentTypeError."""
    found = parse_user_id(text)
    if found is None:
        ids = f"a whole number from 1 to {MAX_INTEGER}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a user id, which is {ids}")
    return found


def _run(command: Work, urls: Sequence[str], options: argparse.Namespace) -> str:
    try:
        return command(urls, options)
    except SettingsError as error:
        raise OperatorError(str(error)) from None
    except AppError as error:
        details = [text for texts in (error.details or {}).values() for text in texts]
        raise OperatorError(" ".join([error.kind.message, *details])) from None


def _stats(urls: Sequence[str], options: argparse.Namespace) -> str:
    return json.dumps(_ask(urls, STATS, {}), indent=1)


def _close(urls: Sequence[str], options: argparse.Namespace) -> str:
    answer = _ask(urls, operators.CLOSE, {"conversation_id": options.conversation_id})
    return f"{answer['conversation_id']} is closed; members removed: {answer['removed']}"


def _post(urls: Sequence[str], options: argparse.Namespace) -> str:
    fields = {"conversation_id": options.conversation_id, "content": options.text}
    if holds_forbidden_text(options.text):
        raise AppError(errors.INVALID_FRAME)
    message = _ask(urls, operators.POST, fields)
    return f"message {message['id']} is number {message['seq']} of {message['conversation_id']}"


def _disconnect(urls: Sequence[str], options: argparse.Namespace) -> str:
    moment, gateways = asyncio.run(_revoke(urls[0], options.user_id))
    revoked = f"revoked the tokens issued to user {options.user_id} up to {timestamps.from_unix(moment)}"
    return f"{revoked}; gateway workers with a socket of theirs: {gateways}"


async def _revoke(redis_url: str, user_id: int) -> tuple[float, int]:
    """Revokes; returns the moment (Unix seconds), and how many gateway workers had a socket of the user."""
    redis, moment = client(redis_url), timestamps.latest()
    try:
        await revocations.save(redis, user_id, moment)
        message = revocations.message(user_id, moment)
        return moment, await step(redis.publish(channels.user(user_id), message))
    finally:
        await redis.aclose()


def _ask(urls: Sequence[str], operation: Operation, fields: Body) -> Any:
    """Asks a service over the bus; returns its answer. Raises AppError."""
    return asyncio.run(_ask_over_bus(urls, operation, fields))


async def _ask_over_bus(urls: Sequence[str], operation: Operation, fields: Body) -> Any:
    async with asking(urls) as ask_service:
        return await ask_service(operation, fields)


@contextlib.asynccontextmanager
async def asking(urls: Sequence[str]) -> AsyncIterator[Ask]:
    """Yields a function that asks a service over the bus. It raises AppError."""
    bus = RedisBus(urls, worker_id(_WORKER_NAME))
    rpc = RpcClient(bus, (CHAT_API, PRESENCE))
    await bus.start()
    try:
        await rpc.start()
        yield partial(_ask_as_operator, rpc)
    finally:
        await rpc.stop()
        await bus.stop()


async def _ask_as_operator(rpc: RpcClient, operation: Operation, fields: Body) -> Any:
    is_of_keys = operation in (*server_keys.OPERATIONS, *push_keys.OPERATIONS)
    user_id = SERVER if is_of_keys else 0
    return await ask(rpc, operation, operation.load(fields), user_id)


def main() -> int:
    """Runs the command with the Redis servers that the environment names; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gateway.admin.commands", description="Runs admin commands."
    )
    add_commands(
        parser.add_subparsers(required=True, metavar="COMMAND"),
        lambda _: REDIS_URL.of(Environment(os.environ)),
    )
    options = parser.parse_args()
    try:
        options.command(options)
    except (OperatorError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
