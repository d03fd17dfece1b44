"""Tests the benchmark's chart."""

from pathlib import Path

from tests.bench import chart
from tests.bench.report import NAIVE, OURS
from tests.bench.workloads import CPU_US, LOAD, Result


def _at_load(server: str, writers: int) -> Result:
    return Result(
        LOAD,
        server,
        "message",
        CPU_US,
        1_000,
        {"gateway": 100.0 / writers, "postgres": 50.0},
        rate_per_s=500.0 * writers,
        p50_ms=1.5,
        p99_ms=4.0 * writers,
        load=writers,
    )


def test_what_ran_at_several_loads_is_drawn_as_a_png(tmp_path: Path) -> None:
    results = [_at_load(server, writers) for server in (OURS, NAIVE) for writers in (2, 8, 32)]
    drawn = chart.draw(results, tmp_path)
    assert drawn is not None
    assert drawn.read_bytes().startswith(b"\x89PNG")


def test_without_such_a_run_there_is_no_chart(tmp_path: Path) -> None:
    assert chart.draw([], tmp_path) is None
    assert not list(tmp_path.iterdir())
