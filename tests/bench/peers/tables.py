"""The tables of the comparison as Markdown, for `shared/docs/peers.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tests.bench.peers.ours import PROMISES
from tests.bench.peers.peer import Peer, Promises
from tests.bench.workloads import LOAD, Result

_PROMISES = {
    "acknowledged": "an acknowledged message",
    "order": "order",
    "absence": "after an absence",
    "repeats": "a repeated send",
    "readers": "who may read",
    "missing": "what isn't there",
}
# The workloads whose cost stands beside the promises.
_COSTS = {
    "W2 durable": "a message to one other user",
    "W1 paced": "a delivery, 20 messages a second to all",
    "W1 burst": "a delivery in a burst",
    "W3 connect": "a new socket",
    "W3 idle": "the memory of an idle socket",
}
_COLUMNS = ("rate", "p50", "p99", "answer p50", "answer p99", "memory", "generator", "others")
_NONE = "–"


def promises(peers: Sequence[Peer]) -> dict[str, Promises]:
    """Returns what each server promises: ours, the naive one, and the peers."""
    return PROMISES | {peer.name: peer.promises for peer in peers}


def markdown(results: Sequence[Result], peers: Sequence[Peer], left_out: Mapping[str, str]) -> str:
    """Returns the versions, the table of promises beside costs, and a table for each workload."""
    promised = promises(peers)
    servers = list(promised)
    rows = [
        [f"**{words}**", *(getattr(each, field) for each in promised.values())]
        for field, words in _PROMISES.items()
    ]
    rows += [
        [f"**{words}**", *(_cost_of(results, server, workload) for server in servers)]
        for workload, words in _COSTS.items()
    ]
    parts = [
        "\n".join(f"- {peer.version}" for peer in peers),
        "\n".join(f"- without {name}: {reason}" for name, reason in left_out.items()),
        _table(["", *servers], rows),
        *_workloads(results, servers),
        _at_load(results, servers),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _workloads(results: Sequence[Result], servers: Sequence[str]) -> Iterable[str]:
    for workload in dict.fromkeys(result.workload for result in results if result.workload != LOAD):
        found = [result for result in results if result.workload == workload]
        found.sort(key=lambda result: servers.index(result.server))
        rows = [_row(result) for result in found]
        heading = ("server", f"a {found[0].unit}", "of which", *_COLUMNS)
        shown = [column for column in range(len(heading)) if any(row[column] != _NONE for row in rows)]
        yield f"**{workload}**\n\n" + _table(
            [heading[column] for column in shown], [[row[column] for column in shown] for row in rows]
        )


def complete(result: Result) -> Result:
    """Returns it with the later latencies: a server may deliver a message long before it has stored it."""
    answers = {name: result.counted.get(f"answer_{name}_us", 0) / 1e3 for name in ("p50", "p99")}
    return replace(
        result,
        p50_ms=max(result.p50_ms or 0, answers["p50"]),
        p99_ms=max(result.p99_ms or 0, answers["p99"]),
    )


def _at_load(results: Sequence[Result], servers: Sequence[str]) -> str:
    found = {(result.load, result.server): complete(result) for result in results if result.workload == LOAD}
    here = [server for server in servers if any(name == server for _, name in found)]
    if not found:
        return ""
    rows = [
        [str(load), *(_at_one_load(found[load, server]) for server in here)]
        for load in sorted({load or 0 for load, _ in found})
    ]
    title = f"**{LOAD}**: CPU of a message, messages a second, median until acknowledged and received"
    return f"{title}\n\n{_table(['writers', *here], rows)}"


def _at_one_load(result: Result) -> str:
    return f"{result.cost:.0f} µs, {result.rate_per_s:,.0f}/s, {result.p50_ms:.1f} ms"


def _row(result: Result) -> list[str]:
    answers = (result.counted.get(f"answer_{name}_us") for name in ("p50", "p99"))
    return [
        result.server,
        _cost(result),
        ", ".join(f"{name} {cost:.1f}" for name, cost in result.cost_by_service.items() if cost >= 0.05),
        _or_none(result.rate_per_s, "{:,.0f}/s"),
        _or_none(result.p50_ms, "{:.1f} ms"),
        _or_none(result.p99_ms, "{:.1f} ms"),
        *(_or_none(us / 1e3 if us else None, "{:.1f} ms") for us in answers),
        _or_none(result.memory_mib, "{:.0f} MiB"),
        _or_none(result.generator_us, "{:.1f} µs"),
        _or_none(result.others_cores, "{:.1f} cores"),
    ]


def _or_none(value: float | None, form: str) -> str:
    return _NONE if value is None else form.format(value)


def _cost_of(results: Sequence[Result], server: str, workload: str) -> str:
    found = [result for result in results if (result.server, result.workload) == (server, workload)]
    return _cost(found[0]) if found else _NONE


def _cost(result: Result) -> str:
    return f"{result.cost:.1f} {result.measure}"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
