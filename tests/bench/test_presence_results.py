"""Tests the results that the presence benchmark computes."""

from tests.bench.presence.results import Run, conclude


def _run(slowest_us: int, *, flapping: bool) -> Run:
    latencies = [1_000] * 98 + [slowest_us] * 2
    cpu_s = {"gateway": 3.0 if flapping else 1.0}
    return Run(flapping, latencies, 20_000 * flapping, 0, 0, 1, cpu_s, 0.0)


def test_one_slow_run_of_many_is_not_the_slowest_hundredth_of_all() -> None:
    pause = _run(90_000, flapping=False)
    quiet = [_run(4_000, flapping=False) for _ in range(9)]
    found = conclude([pause, *quiet, *(_run(4_400, flapping=True) for _ in range(10))])
    assert (found.p99_quiet_ms, found.p99_flapping_ms) == (4.0, 4.4)
    assert found.is_within_limits
    assert found.cost_us == {"gateway": 100.0}


def test_chat_that_is_too_slow_meanwhile_does_not_hold() -> None:
    found = conclude([_run(4_000, flapping=False), _run(5_200, flapping=True)])
    assert found.p99_interval == (1.3, 1.3)
    assert not found.is_within_limits
