"""Tests the judge of hosts: a clean log passes, and each kind of violation that is planted is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.judge.hosts import check_host
from tests.faults.record.database import HostTables
from tests.faults.record.host_log import HostLog, HostSend


class Record:
    """The log and the tables of a run without faults, to be spoiled."""

    def __init__(self) -> None:
        self.log = HostLog()
        self.log.user_ids["ada"] = {7}
        self.log.names["ada"] = "name 2"
        self.log.room_ids["order"] = {"room"}
        self.log.sends["k"] = HostSend("k", "room", "text", {"message"})
        # Not acknowledged, and so it may be stored or not.
        self.log.sends["open"] = HostSend("open", "room", "text")
        self.tables = HostTables(
            {"ada": (7, "name 2")}, {"order": "room"}, {"room"}, {"message": ("room", "k", "text")}
        )

    def kinds(self) -> set[str]:
        return {violation.kind for violation in check_host(self.log, self.tables)}


Spoil = Callable[[Record], object]
SPOILS: dict[str, tuple[str, Spoil]] = {
    "a refusal": ("refused", lambda run: run.log.refusals.append("internal")),
    "a user who is not stored": ("lost", lambda run: run.tables.users.clear()),
    "a user with two ids": ("doubled", lambda run: run.log.user_ids["ada"].add(8)),
    "an earlier name": ("stale", lambda run: run.tables.users.update(ada=(7, "name 1"))),
    "a key that is not stored": ("lost", lambda run: run.tables.rooms.clear()),
    "a key with two conversations": ("doubled", lambda run: run.log.room_ids["order"].add("other")),
    "a conversation without a key": ("doubled", lambda run: run.tables.conversations.add("other")),
    "a message that is not stored": ("lost", lambda run: run.tables.messages.clear()),
    "another text": ("lost", lambda run: run.tables.messages.update(message=("room", "k", "other"))),
    "a message that is stored twice": (
        "doubled",
        lambda run: run.tables.messages.update(again=("room", "k", "text")),
    ),
    "a message with two ids": ("doubled", lambda run: run.log.sends["k"].ids.add("again")),
}


def test_a_clean_run_passes() -> None:
    assert Record().kinds() == set()


@pytest.mark.parametrize("what", SPOILS)
def test_what_is_spoiled_is_found(what: str) -> None:
    kind, spoil = SPOILS[what]
    run = Record()
    spoil(run)
    assert kind in run.kinds()
