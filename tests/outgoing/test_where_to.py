"""Which addresses and URLs requests may go to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.outgoing.addresses import AddressRule, is_special
from chat_api.outgoing.destinations import Destinations
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.urls import BadUrl
from messenger_shared.settings.environment import Environment, SettingsError

# IANA's registries of special-purpose addresses, and multicast.
REGISTRY = [
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32"),
    *("192.0.0.170/31", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
    *("192.88.99.2/32", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32", "224.0.0.0/4"),
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48"),
    *("2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32"),
    *("2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8"),
]
METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]


@given(st.sampled_from(REGISTRY).map(ip_network).flatmap(lambda net: st.tuples(st.just(net), st.integers(0))))
def test_no_address_of_the_special_purpose_registries_is_connected_to(drawn: tuple[object, int]) -> None:
    network, number = drawn
    assert is_special(network[number % network.num_addresses])  # type: ignore[index, attr-defined]


@given(st.sampled_from([4, 6]).flatmap(lambda version: st.ip_addresses(v=version)))  # type: ignore[arg-type]
def test_what_python_calls_no_global_address_is_refused_too(address: IPv4Address | IPv6Address) -> None:
    assert address.is_global or is_special(address)


@given(
    st.sampled_from(REGISTRY[:26])
    .map(ip_network)
    .flatmap(lambda net: st.integers(0, net.num_addresses - 1).map(lambda n: net[n]))
)
def test_no_form_of_ipv6_with_an_ipv4_address_in_it_is_connected_to(inner: IPv4Address) -> None:
    number = int(inner)
    mapped, compatible = 0xFFFF << 32 | number, number
    translated, six_to_four = 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80
    teredo = 0x20010000 << 96 | (number ^ 0xFFFFFFFF)
    rule = AddressRule(loopback=True, networks=(ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8")))
    for whole in (mapped, compatible, translated, six_to_four, teredo):
        address = IPv6Address(whole)
        # ::1 is the one that is no form of an IPv4 address.
        assert address == IPv6Address("::1") or not rule.admits("host", str(address)), address


def test_metadata_servers_are_refused_and_public_addresses_are_not() -> None:
    assert [is_special(ip_address(one)) for one in METADATA] == [True] * len(METADATA)
    assert [is_special(ip_address(one)) for one in PUBLIC] == [False] * len(PUBLIC)
    assert is_special(ip_address("fe80::1%eth0"))
    assert is_special(ip_address("2606:4700::1111%eth0"))


BAD_URLS = [
    *("", "https://", "hooks.example", "//hooks.example/", "ftp://hooks.example/", "https:hooks.example"),
    *("http://hooks.example/", "http://1.1.1.1/", "file:///etc/passwd", "https://hooks.example:0/"),
    *("https://hooks.example:65536/", "https://hooks.example:x/", "https:///hook", "https://?a"),
    *("https://user@hooks.example/", "https://user:pass@hooks.example/", "https://@hooks.example/"),
    *("https://hooks.example\\@127.0.0.1/", "https://hooks.example/\r\nX: y", "https://hooks example/"),
    *(
        "\thttps://hooks.example/",
        "https://hooks.example/\x00",
        "https://hooks.example/ ",
        "https://.example/",
    ),
    *(
        "https://hooks..example/",
        "https://-/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
    ),
    f"https://hooks.example/{'a' * 2_048}",
    # Addresses, however they are spelled.
    *(
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
    ),
    *("https://0177.0.0.1/", "https://127.0.0.01/", "https://017700000001/", "https://127.0.0.1./"),
    *("https://0/", "https://0.0.0.0/", "https://1.1.1.1./", "https://256.1.1.1/", "https://1.1.1.1.1/"),
    *("https://0x/", "https://a.0x7f/", "https://a.1/", "https://169.254.169.254/", "https://10.0.0.1:8443/"),
    *("https://127。0。0。1/", "https://①②⑦.0.0.1/", "https://１２７.0.0.1/", "https://%31%32%37.0.0.1/"),
    *("https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
    *(
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
    ),
    *("https://[fe80::1%25eth0]/", "https://[2606:4700::1111%25eth0]/", "https://[fd00:ec2::254]/"),
    *("https://[v1.fe80::a+en1]/", "https://[1.1.1.1]/", "https://[::1/", "https://::1/"),
    # Names of this machine.
    *("https://localhost/", "https://LOCALHOST:8443/", "https://localhost./", "https://a.localhost/"),
]
GOOD_URLS = [
    *("https://hooks.example/", "https://hooks.example", "https://HOOKS.example:8443/a?b=c#d"),
    *(
        "https://hooks_1.example./",
        "https://bücher.example/",
        "https://메신저.example/hook",
        "https://1.1.1.1/",
    ),
    *("https://[2606:4700::1111]:444/", "https://localhost.example/", "https://1a.example/", "https://a.0b/"),
]


def test_urls_are_refused_early_and_told_why_without_the_url() -> None:
    client = Destinations(OutgoingSettings())
    for url in BAD_URLS:
        with pytest.raises(BadUrl) as refused:
            client.check(url)
        assert str(refused.value).endswith(".")
        assert len(url) < 9 or url not in str(refused.value)
    for url in GOOD_URLS:
        client.check(url)


def checks(**values: str) -> Destinations:
    env = {f"MESSENGER_OUTGOING_{name}": value for name, value in values.items()}
    return Destinations(OutgoingSettings.read(Environment(env)))


def test_the_operator_allows_networks_hosts_and_this_machine() -> None:
    allowing = checks(ALLOW="10.1.0.0/16, fd12::/16,127.0.0.1, localhost,Hooks.Internal.")
    for url in ("https://10.1.2.3/", "https://[fd12::1]/", "https://127.0.0.1/", "https://localhost/"):
        allowing.check(url)
    for url in ("https://10.2.0.1/", "https://127.0.0.2/", "https://[::ffff:10.1.0.1]/", "http://10.1.2.3/"):
        with pytest.raises(BadUrl):
            allowing.check(url)
    local = checks(LOOPBACK="1")
    for url in ("http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/", "https://127.0.0.1/"):
        local.check(url)
    for url in ("http://10.0.0.1/", "http://1.1.1.1/", "https://10.0.0.1/", "http://[::ffff:127.0.0.1]/"):
        with pytest.raises(BadUrl):
            local.check(url)
    own = Destinations(OutgoingSettings().trusting("10.0.0.5"))
    own.check("http://10.0.0.5:8000/")
    with pytest.raises(BadUrl):
        own.check("http://10.0.0.6:8000/")
    # A proxy's own address is none to send to.
    with pytest.raises(BadUrl):
        checks(PROXY="http://10.0.0.7:3128").check("https://10.0.0.7/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ALLOW", "10.0.0.1/8"), ("ALLOW", "hooks.internal/8"), ("ALLOW", "a:443"), ("LOOPBACK", "yes")),
        *(("PROXY", "proxy:3128"), ("PROXY", "socks5://proxy"), ("PROXY", "http://user:secret@:1")),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name_and_without_secrets(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MESSENGER_OUTGOING_{name}") as refused:
        checks(**{name: value})
    assert "secret" not in str(refused.value)
