"""Checks whom messages mention, as they are stored."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.record.history import ARCHIVE
from tests.faults.record.run import Run, Violation


def mentions(run: Run) -> Iterator[Violation]:
    """Finds messages that mention somebody else than they should. Users who are out aren't mentioned."""
    churning = {absence.room for absence in run.history.absences}
    for room, messages in run.tables.messages.items():
        for message in messages:
            send = run.history.sends.get(message.key)
            # An edit and a deletion end the mentions.
            wanted = set(send.mentions) if send is not None and message.changes == 1 else set()
            if set(message.mentions) - wanted:
                yield Violation("phantom", ARCHIVE, room, f"{message} mentions more than {wanted}")
            elif wanted - set(message.mentions) and room not in churning:
                yield Violation("lost", ARCHIVE, room, f"{message} should mention {wanted}")
