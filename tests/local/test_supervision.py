"""Tests of the supervision over real processes: restart, stop, and what must not be left behind."""

import os
import signal

from messenger_local import procfs
from tests.local.conftest import Lead, lives
from tests.local.lead import PATIENCE_S
from tests.waiting import until

SLEEPER = "import time; time.sleep(600)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(600)
"""
# A master that leaves a child, in a session of its own, which ignores being asked to end.
MASTER = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("orphan.new", "w").write(str(os.getpid()))
    os.rename("orphan.new", "orphan")
time.sleep(600)
"""


async def test_a_child_that_is_killed_is_started_again_and_it_is_said(lead: Lead) -> None:
    running = await lead(one=SLEEPER, two=SLEEPER)
    first, other = await running.new_pid("one"), await running.new_pid("two")
    os.kill(first, signal.SIGKILL)
    second = await running.new_pid("one", first)
    assert running.pid("two") == other
    await running.said("one ended by SIGKILL, starting it again in 0.2 s")
    os.kill(second, signal.SIGKILL)
    await running.new_pid("one", second)
    await running.said("starting it again in 0.4 s")


async def test_a_child_that_ends_by_itself_is_started_again(lead: Lead) -> None:
    running = await lead(one="raise SystemExit(4)")
    await running.said("one ended by itself (exit code 4), starting it again in 0.8 s")
    assert await running.stop() < PATIENCE_S


async def test_what_a_child_says_is_shown(lead: Lead) -> None:
    running = await lead(one=f"print('spoken', flush=True); {SLEEPER}")
    await running.said("one       info     spoken")


async def test_a_line_without_an_end_is_cut_and_stops_nobody(lead: Lead) -> None:
    running = await lead(one=f"print('x' * 1_000_000, 'end', flush=True); {SLEEPER}")
    await running.said("end")


async def test_stop_asks_first_and_then_kills(lead: Lead) -> None:
    running = await lead(one=SLEEPER, two=DEAF)
    pids = [await running.new_pid("one"), await running.new_pid("two")]
    await running.said("deaf")
    assert PATIENCE_S < await running.stop() < PATIENCE_S + 2
    assert not any(lives(pid) for pid in pids)
    assert "two does not stop, sending SIGKILL" in running.output
    assert "one does not stop" not in running.output


async def test_the_orphans_of_a_killed_master_are_gone_before_it_starts_again(lead: Lead) -> None:
    running = await lead(one=MASTER)
    first = await running.new_pid("one")
    await until((running.root / "orphan").exists)
    orphan = int((running.root / "orphan").read_text())
    os.kill(first, signal.SIGKILL)
    await running.new_pid("one", first)
    assert procfs.read(orphan) is None, "still there, or never reaped"


async def test_children_die_with_a_lead_that_is_killed(lead: Lead) -> None:
    running = await lead(one=SLEEPER, two=DEAF)
    pids = [await running.new_pid("one"), await running.new_pid("two")]
    await running.said("deaf")
    os.kill(running.process.pid, signal.SIGKILL)
    await until(lambda: not any(lives(pid) for pid in pids))


async def test_ctrl_c_reaches_the_lead_alone(lead: Lead) -> None:
    running = await lead(one=SLEEPER)
    pid = await running.new_pid("one")
    assert os.getpgid(pid) == pid


async def test_a_child_stays_in_the_leads_session(lead: Lead) -> None:
    running = await lead(one=SLEEPER)
    assert os.getsid(await running.new_pid("one")) == os.getsid(running.process.pid)
