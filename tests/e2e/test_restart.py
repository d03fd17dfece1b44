"""A stop and a start of the whole stack: the history is there, tokens are valid, numbers go on."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

from messenger_shared.contract import tokens
from tests.e2e.crowd import Mint, open_crowd
from tests.stack import running_stack

WORKERS = "gateway=2,chat-api=2,presence=1"


def port_of_its_own() -> int:
    """Returns a port that is not the shared stack's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mint_from(data_dir: Path) -> Mint:
    """Returns a maker of tokens like those of `messenger token`."""
    secret = (data_dir / "secret").read_text().strip().encode()
    return partial(tokens.mint, secret=secret, ttl_s=3600)


async def test_after_a_stop_and_a_start_history_is_there_and_numbers_go_on(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", port_of_its_own()
    async with (
        running_stack(data_dir, port, WORKERS) as stack,
        open_crowd(stack.url, mint_from(data_dir)) as crowd,
    ):
        one, two = crowd.newcomers(2)
        room = await one.create_group(two.user_id, title="kept")
        ours = await one.connect()
        sent = [
            (
                await ours.request(
                    "message.send", conversation_id=room, content=f"kept {n}", client_message_id=f"k{n}"
                )
            )
            for n in range(3)
        ]
        left = await two.connect()
        await stack.stop()
        assert (await left.wait_end()).code == 4001
    async with (
        running_stack(data_dir, port, WORKERS) as stack,
        open_crowd(stack.url, mint_from(data_dir)) as crowd,
    ):
        old_token = two.token
        one, two = crowd.newcomer(one.user_id), crowd.newcomer(two.user_id)
        two.token = old_token
        history = await two.get(f"/conversations/{room}/messages", after_seq=0)
        assert history.body["items"] == [answer["data"] for answer in sent]
        theirs, ours = await two.connect(), await one.connect()
        again = await ours.request(
            "message.send", conversation_id=room, content="kept 1", client_message_id="k1"
        )
        assert (again["duplicate"], again["data"]) == (True, sent[1]["data"])
        await ours.request("message.send", conversation_id=room, content="new")
        new = await theirs.expect("message.new", conversation_id=room, pos=5)
        assert new["data"]["seq"] == 4
