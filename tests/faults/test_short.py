"""Injects every fault at least once while users chat: nothing is lost, and everything recovers soon."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import uvloop

from tests.faults.campaigns import CAMPAIGNS
from tests.faults.injection.plan import Fault
from tests.faults.judge.table import table
from tests.faults.running import run
from tests.faults.seeds import chosen_seed

pytestmark = pytest.mark.alone


def test_all_promises_are_kept(tmp_path: Path) -> None:
    campaign = CAMPAIGNS["short"]
    seed = chosen_seed()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(run(campaign, seed, tmp_path / "run"))
    assert outcome.passed, table(outcome)
    assert {episode.fault for episode in outcome.measurements.episodes} == set(Fault)
