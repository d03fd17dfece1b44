"""Decides which URLs requests may go to, as far as the URL alone tells it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from yarl import URL

from chat_api.outgoing.addresses import AddressRule, plain

MAX_CHARS: Final = 2_048
# Parsers disagree about these.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_USER: Final = re.compile(r"[^/?#]*//[^/?#]*@")
_LABEL: Final = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?!.{{254}})({_LABEL}\.)*{_LABEL}\.?")
# The last label of an IPv4 address, however it is spelled.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadUrl(ValueError):
    """Requests can't go to this URL. The text says why to whoever set it; it has nothing of the URL."""


def parse(url: str, *, plain_text: bool) -> URL:
    """The URL as it is requested, its host in ASCII. Raises BadUrl. With `plain_text`, http may do too."""
    if len(url) > MAX_CHARS:
        raise BadUrl(f"A URL has at most {MAX_CHARS:,} characters.")
    if _UNSAFE.search(url):
        raise BadUrl("A URL has no spaces, controls or backslashes.")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        raise BadUrl("Not a URL.") from None
    if parsed.scheme != "https" and not (plain_text and parsed.scheme == "http"):
        raise BadUrl("Only https URLs.")
    if not host or not port:
        raise BadUrl("The URL needs a host, and no port 0.")
    if _USER.match(url):
        raise BadUrl("A URL has no user and no password.")
    _check_host(host)
    return parsed.with_fragment(None)


def check_host(url: URL, rule: AddressRule) -> None:
    """Checks what needs no look-up: an address in the URL, and `localhost`. Raises BadUrl."""
    host = url.raw_host or ""
    address = "127.0.0.1" if _is_localhost(host) else host
    try:
        ip_address(address)
    except ValueError:
        return
    if not rule.admits(host, address):
        raise BadUrl("Requests don't go to this address.")


def _check_host(host: str) -> None:
    if ":" in host:
        try:
            scope = IPv6Address(host).scope_id
        except ValueError:
            raise BadUrl("Not an IPv6 address.") from None
        if scope is not None:
            raise BadUrl("An IPv6 address has no scope here.")
        return
    if not _NAME.fullmatch(host):
        raise BadUrl("Not a host name.")
    if _NUMBER.fullmatch(plain(host).rpartition(".")[2]):
        try:
            IPv4Address(host)
        except ValueError:
            raise BadUrl("An IPv4 address is four decimal numbers.") from None


def _is_localhost(host: str) -> bool:
    name = plain(host)
    return name == "localhost" or name.endswith(".localhost")
