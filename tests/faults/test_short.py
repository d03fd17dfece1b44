"""Every fault at least once while people chat: nothing is lost, everything is soon as before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop

from tests.faults.campaigns import CAMPAIGNS
from tests.faults.plan import Fault
from tests.faults.running import run
from tests.faults.seeds import chosen_seed
from tests.faults.table import table


def test_all_promises_are_kept(tmp_path: Path) -> None:
    campaign = CAMPAIGNS["short"]
    seed = chosen_seed()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(run(campaign, seed, tmp_path / "run"))
    assert outcome.passed, table(outcome)
    assert {episode.fault for episode in outcome.figures.episodes} == set(Fault)
