"""What a peer is: how it is installed and run, and what it promises."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.bench.servers import Server

# Signs the tokens of all peers.
SECRET = b"0" * 64
TOKEN_TTL_S = 3_600


class Promises(NamedTuple):
    """What a server, as it is set up here, promises; each is a few words for a table."""

    acknowledged: str
    order: str
    absence: str
    repeats: str
    readers: str
    missing: str


class Unavailable(Exception):
    """The peer can't be had on this machine; the text says why."""


class Peer(Protocol):
    """Another server, at a pinned version."""

    @property
    def name(self) -> str:
        """Its name in the tables."""

    @property
    def version(self) -> str:
        """What is installed, with its version."""

    @property
    def promises(self) -> Promises:
        """What it promises."""

    def is_installed(self) -> bool:
        """Returns whether it runs without a download."""

    def install(self) -> None:
        """Downloads and builds it, unless that is done. Raises Unavailable."""

    def token(self, user: int, room: str) -> str:
        """Returns what the user shows when they connect."""

    def running(self, directory: Path) -> AbstractAsyncContextManager[Server]:
        """Yields it, ready for load, with its data in `directory`, which exists."""
