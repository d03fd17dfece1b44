"""Supervision over real processes: restart, stop, and no process left behind."""

import os
import signal

from messenger_local import procfs
from tests.local.conftest import StartSupervisor, is_running
from tests.local.supervisor import STOP_TIMEOUT_S
from tests.waiting import until

SLEEPER = "import time; time.sleep(600)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(600)
"""
# A master that leaves a child in another session, which ignores SIGTERM.
MASTER = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("orphan.new", "w").write(str(os.getpid()))
    os.rename("orphan.new", "orphan")
time.sleep(600)
"""


async def test_a_child_that_is_killed_is_started_again_and_it_is_logged(
    start_supervisor: StartSupervisor,
) -> None:
    running = await start_supervisor(one=SLEEPER, two=SLEEPER)
    first, other = await running.new_pid("one"), await running.new_pid("two")
    os.kill(first, signal.SIGKILL)
    second = await running.new_pid("one", first)
    assert running.pid("two") == other
    await running.wait_for_output("one ended by SIGKILL, starting it again in 0.2 s")
    os.kill(second, signal.SIGKILL)
    await running.new_pid("one", second)
    await running.wait_for_output("starting it again in 0.4 s")


async def test_a_child_that_ends_by_itself_is_started_again(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one="raise SystemExit(4)")
    await running.wait_for_output("one ended by itself (exit code 4), starting it again in 0.8 s")
    await running.stop()


async def test_output_of_a_child_is_shown(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=f"print('spoken', flush=True); {SLEEPER}")
    await running.wait_for_output("one       info     spoken")


async def test_a_line_without_an_end_is_cut_and_stops_nobody(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=f"print('x' * 1_000_000, 'end', flush=True); {SLEEPER}")
    await running.wait_for_output("end")


async def test_stop_asks_first_and_then_kills(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=SLEEPER, two=DEAF)
    pids = [await running.new_pid("one"), await running.new_pid("two")]
    await running.wait_for_output("deaf")
    assert await running.stop() > STOP_TIMEOUT_S
    assert not any(is_running(pid) for pid in pids)
    assert "two does not stop, sending SIGKILL" in running.output
    assert "one does not stop" not in running.output


async def test_the_orphans_of_a_killed_master_are_gone_before_it_starts_again(
    start_supervisor: StartSupervisor,
) -> None:
    running = await start_supervisor(one=MASTER)
    first = await running.new_pid("one")
    await until((running.root / "orphan").exists)
    orphan = int((running.root / "orphan").read_text())
    os.kill(first, signal.SIGKILL)
    await running.new_pid("one", first)
    assert procfs.read(orphan) is None, "still there, or never reaped"


async def test_children_die_with_a_supervisor_that_is_killed(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=SLEEPER, two=DEAF)
    pids = [await running.new_pid("one"), await running.new_pid("two")]
    await running.wait_for_output("deaf")
    os.kill(running.process.pid, signal.SIGKILL)
    await until(lambda: not any(is_running(pid) for pid in pids))


async def test_ctrl_c_reaches_the_supervisor_alone(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=SLEEPER)
    pid = await running.new_pid("one")
    assert os.getpgid(pid) == pid


async def test_a_child_stays_in_the_supervisors_session(start_supervisor: StartSupervisor) -> None:
    running = await start_supervisor(one=SLEEPER)
    assert os.getsid(await running.new_pid("one")) == os.getsid(running.process.pid)
