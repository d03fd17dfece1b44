"""The load generator talks with each installed peer, and what can't be had is named.

`tests/bench/test_guard.py` has it talk with our server and the naive one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.peers.__main__ import PEERS
from tests.bench.peers.installing import GoProgram, NodeApp
from tests.bench.peers.peer import Unavailable
from tests.bench.peers.rooms import PeerBench
from tests.bench.peers.tables import markdown
from tests.bench.programs import compile_programs
from tests.bench.report import OURS
from tests.bench.workloads import CPU_US, Result, Sizes

SIZES = Sizes(fanout_sockets=20, fanout_messages=50, durable_users=4, durable_s=0.2)


@pytest.mark.parametrize("name", PEERS)
async def test_every_message_is_answered_and_delivered_once(name: str, tmp_path: Path) -> None:
    peer = PEERS[name]
    if not peer.is_installed():
        pytest.skip(f"{peer.name} isn't installed: `make bench-peers` does it")
    programs = compile_programs(tmp_path)
    if programs is None:
        pytest.skip("there is no C compiler (cc, gcc or clang) to build the load generator with")
    async with peer.running(tmp_path) as server:
        bench = PeerBench(server, programs, tmp_path, SIZES, with_reference=False, peer=peer)
        burst, sends = await bench.burst(), await bench.sends()
    assert burst.units == SIZES.fanout_sockets * SIZES.fanout_messages
    assert sends.counted["deliveries"] == sends.counted["sent"] == sends.units > SIZES.durable_users


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (GoProgram("example.org/none", "v0.0.0", "none"), "Go isn't installed"),
        (NodeApp(Path(__file__).with_name("socketio_app")), "Node.js isn't installed"),
    ],
)
def test_without_its_tool_a_peer_is_unavailable(
    program: GoProgram | NodeApp, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match=reason):
        program.install()


def test_the_tables_name_what_was_left_out_and_show_only_what_was_measured() -> None:
    sends = Result("W2 durable", OURS, "message", CPU_US, 100, {"gateway": 60.0, "feed": 0.0, "redis": 5.0})
    text = markdown([sends], [], {"NATS JetStream": "Go isn't installed"})
    assert "- without NATS JetStream: Go isn't installed" in text
    assert "| **a message to one other user** | 65.0 µs | – |" in text
    assert text.endswith(
        "**W2 durable**\n\n| server | a message | of which |\n| --- | --- | --- |\n"
        f"| {OURS} | 65.0 µs | gateway 60.0, redis 5.0 |\n"
    )
