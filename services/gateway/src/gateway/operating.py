"""Owns what operators ask over the bus: python -m gateway.operating stats|disconnect|close|post.

Whoever may log in to Redis as the gateway may do this; there is no token to be had, and no door to be opened.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.commands import ask
from messenger_shared import channels, clock, errors, revocations
from messenger_shared.common_settings import REDIS_URL
from messenger_shared.errors import AppError
from messenger_shared.json_codec import holds_forbidden_text
from messenger_shared.operations import operators
from messenger_shared.operations.operation import CHAT_API, PRESENCE, Body, Operation
from messenger_shared.operations.stats import STATS
from messenger_shared.redis_bus import RedisBus
from messenger_shared.redis_steps import client, step
from messenger_shared.rpc_client import RpcClient
from messenger_shared.service import worker_id
from messenger_shared.settings import Environment, SettingsError
from messenger_shared.tokens import parse_user_id

# Where the Redis servers of the bus are, as the command line has it.
Urls = Callable[[argparse.Namespace], Sequence[str]]
# Carries a command out and tells what came of it; raises AppError.
_Work = Callable[[Sequence[str], argparse.Namespace], str]
_ASKER: Final = "operator"


class OperatorError(Exception):
    """It can't be done; the text says why, in one line."""


def add_commands(commands: Any, urls: Urls) -> list[argparse.ArgumentParser]:
    """Adds the commands to a parser's; the `command` of each carries it out and prints what came of it."""

    def add(name: str, told: str, work: _Work) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=told)
        parser.set_defaults(command=lambda options: print(_done(work, urls(options), options)))
        return parser

    stats = add("stats", "how much is going on, over all gateways", _stats)
    disconnect = add("disconnect", "close a user's sockets and take his tokens back", _disconnect)
    disconnect.add_argument("user_id", metavar="USER_ID", type=user_id)
    close = add("close", "end a conversation for all its members, for good", _close)
    post = add("post", "say something in a conversation, as the system", _post)
    for parser in (close, post):
        parser.add_argument("conversation_id", metavar="CONVERSATION_ID")
    post.add_argument("text", metavar="TEXT")
    return [stats, disconnect, close, post]


def user_id(text: str) -> int:
    """The user whom an argument names; raises what argparse wants."""
    found = parse_user_id(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a user id: a whole number from 1 on is")
    return found


def _done(work: _Work, urls: Sequence[str], options: argparse.Namespace) -> str:
    try:
        return work(urls, options)
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
    counts = f"what was issued to user {options.user_id} up to {clock.from_unix(moment)} counts no more"
    return f"{counts}; gateway workers with a socket of his: {gateways}"


async def _revoke(redis_url: str, user_id: int) -> tuple[float, int]:
    """The moment up to which they count no more, and how many gateway workers had a socket of the user."""
    redis, moment = client(redis_url), time.time()
    try:
        await revocations.keep(redis, user_id, moment)
        message = revocations.message(user_id, moment)
        return moment, await step(redis.publish(channels.user(user_id), message))
    finally:
        await redis.aclose()


def _ask(urls: Sequence[str], operation: Operation, fields: Body) -> Any:
    """What a service answers; raises AppError."""
    return asyncio.run(_asked(urls, operation, operation.load(fields)))


async def _asked(urls: Sequence[str], operation: Operation, body: Body) -> Any:
    bus = RedisBus(urls, worker_id(_ASKER))
    rpc = RpcClient(bus, (CHAT_API, PRESENCE))
    await bus.start()
    try:
        await rpc.start()
        return await ask(rpc, operation, body, 0)
    finally:
        await rpc.stop()
        await bus.stop()


def main() -> int:
    """Runs the command with the Redis servers that the environment names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gateway.operating", description="For operators.")
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
