"""Declares the settings of requests to the outside and reads them from the environment."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from yarl import URL

from chat_api.outgoing.addresses import AddressRule, Network, plain
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import Flag, Items, Text, Variable

ALLOW: Final = Items(
    name="MESSENGER_OUTGOING_ALLOW",
    meaning="Where webhooks and push messages may go beside public addresses: networks (`10.1.0.0/16`) and "
    "host names (`hooks.internal`). Set it alike for chat-api and the feed.",
)
LOOPBACK: Final = Flag(
    name="MESSENGER_OUTGOING_LOOPBACK",
    default=False,
    meaning="1 lets webhooks and push messages go to this machine itself, by http too. `make run` sets it. "
    "Set it alike for chat-api and the feed.",
)
PROXY: Final = Text(
    name="MESSENGER_OUTGOING_PROXY",
    meaning="An HTTP proxy for all https requests to the outside (`http://proxy:3128`). It looks names up, "
    "so that it must refuse private addresses itself: only addresses in URLs are checked then. The proxy "
    "variables of other programs have no effect.",
)
CA_FILE: Final = Text(
    name="MESSENGER_OUTGOING_CA",
    meaning="A file with certificate authorities (PEM) that requests to the outside trust beside the "
    "system's.",
)
OUTGOING: Final[tuple[Variable, ...]] = (ALLOW, LOOPBACK, PROXY, CA_FILE)


@dataclass(frozen=True, slots=True)
class OutgoingSettings:
    """Where requests may go, and how. Requests to `trusted_hosts` may use http."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    loopback: bool = False
    proxy: str | None = None
    ca_file: str | None = None
    trusted_hosts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, env: Environment) -> OutgoingSettings:
        """The settings in the environment; raises SettingsError."""
        networks, hosts = _allowed(ALLOW.of(env))
        proxy = PROXY.of(env)
        if proxy and not _is_proxy(proxy):
            # The text leaves the value out, because it may hold a password.
            raise SettingsError(f"{PROXY.name} is not an http:// URL")
        return cls(networks, hosts, LOOPBACK.of(env), proxy or None, CA_FILE.of(env) or None)

    def trusting(self, host: str) -> OutgoingSettings:
        """The same, and requests may go to this host of the operator's, whatever its address is."""
        return dataclasses.replace(self, trusted_hosts=self.trusted_hosts | {plain(host)})

    @property
    def rule(self) -> AddressRule:
        """The rule for https."""
        return AddressRule(
            loopback=self.loopback, networks=self.networks, hosts=self.hosts | self.trusted_hosts
        )

    @property
    def look_up_rule(self) -> AddressRule:
        """The rule for the names that are looked up for https: with a proxy, that is the proxy's alone."""
        if self.proxy is None:
            return self.rule
        return AddressRule(public=False, hosts=frozenset({plain(URL(self.proxy).raw_host or "")}))

    @property
    def plain_rule(self) -> AddressRule | None:
        """The rule for http; None if there is none."""
        if not self.loopback and not self.trusted_hosts:
            return None
        return AddressRule(public=False, loopback=self.loopback, hosts=self.trusted_hosts)


def _allowed(items: tuple[str, ...]) -> tuple[tuple[Network, ...], frozenset[str]]:
    networks: list[Network] = []
    hosts: set[str] = set()
    for item in items:
        try:
            networks.append(ip_network(item))
        except ValueError:
            if "/" in item or ":" in item:
                raise SettingsError(f"{ALLOW.name}: {item!r} is neither a network nor a host") from None
            hosts.add(plain(item))
    return tuple(networks), frozenset(hosts)


def _is_proxy(text: str) -> bool:
    try:
        url = URL(text)
        return url.scheme == "http" and bool(url.raw_host) and bool(url.port)
    except ValueError:
        return False
