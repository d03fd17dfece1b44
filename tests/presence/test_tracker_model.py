"""Compares the tracker with a plain model: devices, gateways, leases, grace periods, choices, losses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from presence.ports import Choice, Report, Transition
from presence.tracker import Tracker
from tests.presence.plain_model import Gateway, PlainModel
from tests.presence.stores import LOADER, NO_GRACE, TICK_MS, TIMING, MemoryHarness

USERS = range(1, 5)
users, gateways = st.sampled_from(USERS), st.sampled_from("abc")


class Listener:
    """Keeps the states it is told; each one has to be new, in order, and not in the future."""

    def __init__(self, harness: MemoryHarness) -> None:
        self.seen: dict[int, str] = {}
        self._store = harness.memory
        self._version = 0
        self._last_seen: dict[int, int] = {}

    def publish(self, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            user = transition.user_id
            assert transition.status != self.seen.get(user, OFFLINE), "it was so before"
            assert transition.version >= self._version
            self.seen[user], self._version = transition.status, transition.version
            if transition.status == OFFLINE:
                before = self._last_seen.get(user, 0)
                assert before <= transition.seen_ms <= transition.at_ms <= self._store.now_ms
                self._last_seen[user] = transition.seen_ms

    def republish(self, transition: Transition) -> None:
        assert transition.status == self.seen.get(transition.user_id, OFFLINE)

    def request_reports(self) -> None:
        """The gateways of this test report when they want to."""


class TrackerMachine(RuleBasedStateMachine):
    """Presence workers over one store, and gateways that come and go, vanish, and repeat themselves."""

    timing = TIMING

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.harness = MemoryHarness(self.timing)
        self.model = PlainModel(self.timing, self.harness.memory.now_ms)
        self.listener = Listener(self.harness)
        self.gateways = {name: Gateway() for name in "abc"}
        self.reports: dict[str, list[Report]] = {name: [] for name in "abc"}
        self.choices: dict[int, Choice] = {}
        self.tracker = self.worker()

    def worker(self) -> Tracker:
        return Tracker(self.harness.store, self.listener, self.load)

    async def load(self) -> None:
        assert await self.harness.store.load(LOADER, list(self.choices.values()), first=True, last=True)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.runner.close()

    @initialize()
    def begin(self) -> None:
        self.run(self.tracker.sweep())

    @rule(gateway=gateways, user=users, away=st.booleans())
    def device_comes(self, gateway: str, user: int, away: bool) -> None:
        self.gateways[gateway].devices.setdefault(user, []).append(away)

    @rule(gateway=gateways, user=users)
    def device_goes(self, gateway: str, user: int) -> None:
        devices = self.gateways[gateway].devices
        if len(devices.get(user, ())) > 1:
            devices[user].pop()
        else:
            devices.pop(user, None)

    @rule(gateway=gateways, user=users)
    def device_changes(self, gateway: str, user: int) -> None:
        if marks := self.gateways[gateway].devices.get(user):
            marks[-1] = not marks[-1]

    @rule(gateway=gateways, full=st.booleans())
    def gateway_reports(self, gateway: str, full: bool) -> None:
        it = self.gateways[gateway]
        if it.silent:
            return
        states, known = it.states(), self.model.reported.get(gateway, ({}, 0))[0]
        it.number += 1
        report = Report(
            gateway,
            it.number,
            [user for user, status in states.items() if status == ONLINE],
            [user for user, status in states.items() if status == AWAY],
            [] if full else [user for user in known if user not in states],
            full,
        )
        self.reports[gateway].append(report)
        taken = self.run(self.tracker.report(report))
        assert taken == (full or gateway in self.model.reported)
        if taken:
            self.model.report(gateway, states)

    @rule(gateway=gateways, back=st.integers(0, 3))
    def report_comes_again(self, gateway: str, back: int) -> None:
        """The newest report again changes nothing; an outdated one is refused."""
        reports = self.reports[gateway]
        if back < len(reports) and gateway in self.model.reported:
            report = reports[-1 - back]
            taken = self.run(self.tracker.report(report))
            assert taken == (report.number == self.gateways[gateway].number)
            if taken:
                self.model.renew(gateway)

    @rule(gateway=gateways)
    def gateway_ends_cleanly(self, gateway: str) -> None:
        it = self.gateways[gateway]
        if not it.silent:
            self.run(self.tracker.leave(gateway))
            self.model.end(gateway, self.model.now)
            it.devices.clear()

    @rule(gateway=gateways, silent=st.booleans())
    def gateway_vanishes_or_comes_back(self, gateway: str, silent: bool) -> None:
        self.gateways[gateway].silent = silent

    @rule(user=users, invisible=st.booleans(), hides=st.booleans())
    def user_chooses(self, user: int, invisible: bool, hides: bool) -> None:
        version = self.choices[user].version + 1 if user in self.choices else 1
        self.choices[user] = Choice(user, version, invisible, hides)
        self.run(self.tracker.choose(self.choices[user]))
        self.model.choose(user, invisible=invisible)

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.run(self.harness.pass_time(TICK_MS))
            self.run(self.tracker.sweep())
            self.model.pass_time(TICK_MS)
            self.all_are_seen_as_they_are()

    @rule()
    def presence_is_restarted(self) -> None:
        self.tracker = self.worker()

    @rule()
    def everything_is_lost(self) -> None:
        """Nobody is told anything false. The listeners' states are compared when everything is settled."""
        self.run(self.harness.empty())
        self.run(self.harness.pass_time(TICK_MS))
        self.model.lose_everything(TICK_MS)
        believed, self.listener.seen = self.listener.seen, {}
        self.run(self.tracker.sweep())
        assert self.listener.seen == {}
        for gateway in "abc":
            self.gateway_reports(gateway, True)
        assert OFFLINE not in self.listener.seen.values()
        states = self.run(self.harness.store.states(list(believed)))
        assert not states.settled

    @invariant()
    def all_are_seen_as_they_are(self) -> None:
        states = self.run(self.harness.store.states(USERS)).states
        for user, state in zip(USERS, states, strict=True):
            assert self.listener.seen.get(user, OFFLINE) == state.shown == self.model.status_of(user), user


class GracelessMachine(TrackerMachine):
    timing = NO_GRACE


@pytest.mark.parametrize("machine", [TrackerMachine, GracelessMachine])
def test_the_tracker_does_as_the_model(machine: type[TrackerMachine]) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
