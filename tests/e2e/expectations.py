"""Owns what PROTOCOL promises to whom: one table for each type of conversation, read from that page alone.

A row is something that one may ask, named by its operation and, where it matters, by what it is asked about;
a cell is "ok" or the code of the refusal. Who brings no token is refused everywhere, and has no column.
"""

from __future__ import annotations

import re
from typing import Final

# The former member wrote something and was taken out; the stranger was never in, so that he has no message.
_GROUP: Final = """
                              admin      member     observer   former      stranger
conversation.get              ok         ok         ok         not_member  not_found
conversation.update           ok         forbidden  forbidden  not_member  not_found
conversation.leave            ok         ok         ok         not_found   not_found
conversation.read seq         ok         ok         ok         not_member  not_found
conversation.read message     ok         ok         ok         not_member  not_found
message.history               ok         ok         ok         not_member  not_found
message.send                  ok         ok         forbidden  not_member  not_found
message.send reply            ok         ok         forbidden  not_member  not_found
message.edit own              ok         ok         forbidden  not_member  -
message.edit another's        forbidden  forbidden  forbidden  not_member  not_found
message.edit deleted          not_found  not_found  forbidden  not_member  -
message.delete own            ok         ok         ok         not_member  -
message.delete another's      ok         forbidden  forbidden  not_member  not_found
message.delete deleted        ok         ok         ok         not_member  -
message.read                  ok         ok         ok         not_member  not_found
message.readers               ok         ok         ok         not_member  not_found
message.versions own          ok         ok         ok         not_member  -
message.versions another's    ok         forbidden  forbidden  not_member  not_found
message.versions deleted      not_found  not_found  not_found  not_member  -
participant.list              ok         ok         ok         not_member  not_found
participant.add               ok         forbidden  forbidden  not_member  not_found
participant.add who is in     ok         forbidden  forbidden  not_member  not_found
participant.remove another    ok         forbidden  forbidden  not_member  not_found
participant.remove oneself    ok         ok         ok         not_found   not_found
participant.remove absent     not_found  forbidden  forbidden  not_member  not_found
participant.update another    ok         forbidden  forbidden  not_member  not_found
participant.update oneself    forbidden  forbidden  forbidden  not_member  not_found
participant.update absent     not_found  forbidden  forbidden  not_member  not_found
presence.get                  ok         ok         ok         not_found   not_found
settings.get                  ok         ok         ok         not_member  not_found
settings.update               ok         ok         ok         not_member  not_found
subscribe                     ok         ok         ok         not_member  not_found
typing.start                  ok         ok         ok         not_found   not_found
typing.stop                   ok         ok         ok         not_found   not_found
"""
# Only admins write.
_ANNOUNCEMENT: Final = """
                              admin      member     observer   former      stranger
message.send                  ok         forbidden  forbidden  not_member  not_found
message.send reply            ok         forbidden  forbidden  not_member  not_found
message.edit own              ok         forbidden  forbidden  not_member  -
message.edit deleted          not_found  forbidden  forbidden  not_member  -
"""
# Two members for good.
_DIRECT: Final = """
                              member     stranger
conversation.get              ok         not_found
conversation.update           forbidden  not_found
conversation.leave            ok         not_found
conversation.read seq         ok         not_found
conversation.read message     ok         not_found
message.history               ok         not_found
message.send                  ok         not_found
message.send reply            ok         not_found
message.edit own              ok         -
message.edit another's        forbidden  not_found
message.edit deleted          not_found  -
message.delete own            ok         -
message.delete another's      forbidden  not_found
message.delete deleted        ok         -
message.read                  ok         not_found
message.readers               ok         not_found
message.versions own          ok         -
message.versions another's    forbidden  not_found
message.versions deleted      not_found  -
participant.list              ok         not_found
participant.add               forbidden  not_found
participant.add who is in     forbidden  not_found
participant.remove another    forbidden  not_found
participant.remove oneself    forbidden  not_found
participant.remove absent     forbidden  not_found
participant.update another    forbidden  not_found
participant.update oneself    forbidden  not_found
participant.update absent     forbidden  not_found
presence.get                  ok         not_found
settings.get                  ok         not_found
settings.update               ok         not_found
subscribe                     ok         not_found
typing.start                  ok         not_found
typing.stop                   ok         not_found
"""
# What concerns no conversation of anybody's, or answers for those that one is in, is refused to nobody.
FOR_EVERYBODY: Final = frozenset(
    (
        *("conversation.create", "conversation.list", "conversation.sync"),
        *("resume", "unsubscribe", "auth.refresh", "ping", "stats.get", "ticket.give"),
        *("presence.online", "presence.list", "presence.set", "presence.watch", "presence.unwatch"),
    )
)


def _rows(table: str) -> dict[str, dict[str, str]]:
    head, *lines = table.strip("\n").splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines]
    return {what: dict(zip(head.split(), cells, strict=True)) for what, *cells in rows}


_group = _rows(_GROUP)
# Type -> what is asked -> role -> outcome.
EXPECTED: Final = {
    "group": _group,
    "announcement": _group | _rows(_ANNOUNCEMENT),
    "direct": _rows(_DIRECT),
}
