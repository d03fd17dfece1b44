"""Lists the addresses at which a database may be found: all addresses of the connection string's hosts.

libpq could try them itself, but aiopg watches only the first socket and so never notices a second attempt.
Also, libpq's DNS queries would block the event loop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from typing import Final

import psycopg2
from psycopg2.extensions import parse_dsn

DEFAULT_PORT: Final = "5432"
# A host that begins like this is a Unix socket: a path or an abstract name.
_UNIX_SOCKET: Final = ("/", "@")

# The parameters that are added to the connection string for one attempt.
Target = dict[str, str]


class Servers:
    """The addresses to try, in order; the last one that worked comes first."""

    def __init__(self, url: str) -> None:
        parts = parse_dsn(url)
        self._hosts = list(_hosts(parts))
        self._has_attributes = "target_session_attrs" in parts
        self._last: tuple[str, ...] = ()

    async def targets(self) -> list[Target]:
        """The attempts to make, in order, with host names resolved now.

        Of several hosts the one that takes writes comes first, unless the connection string says otherwise.
        If there is none, one for reads has to do. Raises psycopg2.OperationalError if no name resolves.
        """
        # All at once, because each lost DNS query costs five seconds.
        answers = await asyncio.gather(*map(_resolve, self._hosts), return_exceptions=True)
        found = [target for answer in answers if isinstance(answer, list) for target in answer]
        reason = next((answer for answer in answers if isinstance(answer, OSError)), None)
        if reason is not None and not found:
            raise psycopg2.OperationalError(f"no address of the server: {reason}") from reason
        found.sort(key=lambda target: _key(target) != self._last)
        if len(self._hosts) > 1 and not self._has_attributes:
            return [{**target, "target_session_attrs": "read-write"} for target in found] + found
        return found

    def record_success(self, target: Target) -> None:
        """Records that a connection to `target` succeeded."""
        self._last = _key(target)


def primary_options(url: str) -> dict[str, str]:
    """The parameters that make libpq choose the server that takes writes; empty if not needed."""
    parts = parse_dsn(url)
    is_plain = "target_session_attrs" not in parts
    return {"target_session_attrs": "read-write"} if is_plain and len(list(_hosts(parts))) > 1 else {}


def _hosts(parts: dict[str, str]) -> Iterator[Target]:
    """One target per host, with the lists paired as libpq does. Empty values are left to libpq's defaults."""
    hosts = parts.get("host", "").split(",")
    addresses = parts.get("hostaddr", "").split(",")
    ports = parts.get("port", "").split(",")
    for number in range(max(len(hosts), len(addresses))):
        target = {
            "host": _item(hosts, number),
            "hostaddr": _item(addresses, number),
            "port": ports[0] if len(ports) == 1 else _item(ports, number),
        }
        yield {name: text for name, text in target.items() if text}


def _item(texts: list[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""


async def _resolve(target: Target) -> list[Target]:
    """`target`, once for each address that its host name resolves to."""
    host = target.get("host", "")
    if not host or host.startswith(_UNIX_SOCKET) or "hostaddr" in target or _is_address(host):
        return [target]
    found = await asyncio.get_running_loop().getaddrinfo(
        host, target.get("port", DEFAULT_PORT), type=socket.SOCK_STREAM
    )
    addresses = dict.fromkeys(str(row[4][0]) for row in found)
    return [{**target, "hostaddr": address} for address in addresses]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _key(target: Target) -> tuple[str, ...]:
    return (target.get("host", ""), target.get("hostaddr", ""), target.get("port", ""))
