"""Applies the rules to the jobs that are due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple, Protocol

from chat_api.feed.push import metrics
from chat_api.feed.push.queue import Decided, Job
from chat_api.push.rules import Facts, Verdict, skipped_by, stands_out, verdicts


class Asking(Protocol):
    """Who looks at conversations: see Viewers."""

    async def ask(self, users: Mapping[str, Sequence[int]]) -> tuple[set[tuple[str, int]], bool]:
        """(conversation, user) for those who look, and whether that is complete."""


class Intent(NamedTuple):
    """A job that is pushed to a user."""

    job: Job
    user_id: int
    is_mentioned: bool = False


class Decider:
    """Decides for each message and user. In a batch, only the newest message of a conversation is pushed."""

    def __init__(self, viewers: Asking) -> None:
        self._viewers = viewers

    async def decide(self, cases: Iterable[tuple[Job, Facts]]) -> tuple[list[Intent], list[Decided]]:
        """Returns what is pushed, and what is to be recorded. Counts what isn't pushed."""
        reads: list[tuple[Job, Facts]] = []
        messages: list[tuple[Job, Facts]] = []
        for job, facts in cases:
            (reads if job.kind == "read" else messages).append((job, facts))
        # The newest first, so that older ones are superseded by it.
        messages.sort(key=lambda case: case[1].seq, reverse=True)
        looked = await self._looked(messages)
        # A newer message has been pushed since: its notification is to stay.
        intents = [Intent(job, facts.user_id) for job, facts in reads if not facts.shown_seq]
        decided, newest = [], dict[tuple[str | None, int], int]()
        for job, facts in looked:
            key = job.conversation_id, facts.user_id
            facts = facts._replace(shown_seq=max(facts.shown_seq, newest.get(key, 0)))
            said = verdicts(facts)
            rule = skipped_by(said)
            if rule is None:
                newest[key] = facts.seq
                intents.append(Intent(job, facts.user_id, facts.is_mentioned))
            else:
                metrics.SKIPPED.labels(rule).inc()
            if not job.attempt:
                decided.append(_decided(job, facts, said, is_pushed=rule is None))
        return intents, decided

    async def _looked(self, cases: Sequence[tuple[Job, Facts]]) -> list[tuple[Job, Facts]]:
        """The cases with who looks, which is asked only about whom no other rule says no to."""
        asked: defaultdict[str, set[int]] = defaultdict(set)
        for job, facts in cases:
            if job.conversation_id is not None and skipped_by(verdicts(facts)) is None:
                asked[job.conversation_id].add(facts.user_id)
        if not asked:
            return list(cases)
        looking, is_complete = await self._viewers.ask({id_: sorted(users) for id_, users in asked.items()})
        return [
            (job, _with_look(job, facts, asked, looking, is_complete=is_complete)) for job, facts in cases
        ]


def _with_look(
    job: Job,
    facts: Facts,
    asked: Mapping[str, Set[int]],
    looking: set[tuple[str, int]],
    *,
    is_complete: bool,
) -> Facts:
    id_ = job.conversation_id or ""
    if (id_, facts.user_id) in looking:
        return facts._replace(is_looking=True)
    was_asked = is_complete and facts.user_id in asked.get(id_, ())
    return facts._replace(is_looking=False if was_asked else None)


def _decided(job: Job, facts: Facts, said: Mapping[str, Verdict], *, is_pushed: bool) -> Decided:
    assert job.conversation_id is not None
    return Decided(job.conversation_id, facts.seq, facts.user_id, stands_out(said), is_pushed)
