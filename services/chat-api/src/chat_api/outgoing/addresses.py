"""Decides which IP addresses requests may go to: public ones, and those that the operator allows."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's registry of special-purpose addresses, also those that are reachable; multicast; what is reserved.
SPECIAL_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            # No registry has it: the server of Azure that answers each virtual machine.
            "168.63.129.16/32",
        ),
    )
)
# All else is special: mapped, compatible and translated IPv4, private, link-local, multicast, unassigned.
GLOBAL_V6: Final = IPv6Network("2000::/3")
# Protocol assignments with Teredo, documentation, 6to4, the AS112 service.
SPECIAL_V6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)


def is_special(address: Address) -> bool:
    """Whether the address is anything else than an ordinary public one."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in SPECIAL_V4)
    # A scope means one of the machine's own links.
    if address.scope_id is not None or address not in GLOBAL_V6:
        return True
    return any(address in network for network in SPECIAL_V6)


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Which addresses may be connected to.

    Public ones if `public`, those in `networks`, those of loopback if `loopback`, and whatever a name in
    `hosts` resolves to.
    """

    public: bool = True
    loopback: bool = False
    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def admits(self, host: str, address: str) -> bool:
        """Whether a request to `host`, a name or the address itself, may connect to the address."""
        if plain(host) in self.hosts:
            return True
        parsed = ip_address(address)
        if any(parsed in network for network in self.networks):
            return True
        if self.loopback and _is_loopback(parsed):
            return True
        return self.public and not is_special(parsed)


def plain(host: str) -> str:
    """A host name as it is compared."""
    return host.rstrip(".").lower()


def _is_loopback(address: Address) -> bool:
    # `is_loopback` of newer Pythons takes mapped addresses too.
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None
