"""What PROTOCOL promises to each role: one table per type of conversation, written from that page alone.

A row is a request, named by its operation and, where it matters, by its subject. A cell is "ok" or the code
of the refusal. Requests without a token are refused everywhere, and have no column.
"""

from __future__ import annotations

import re
from typing import Final

# The former member wrote something and was removed. The stranger was never a member, and so has no message.
_GROUP: Final = """
                              admin      member     observer   former      stranger
conversation.get              ok         ok         ok         not_member  not_found
conversation.update           ok         forbidden  forbidden  not_member  not_found
conversation.leave            ok         ok         ok         not_found   not_found
conversation.read seq         ok         ok         ok         not_member  not_found
conversation.read message     ok         ok         ok         not_member  not_found
conversation.read mark        ok         ok         ok         not_member  not_found
message.history               ok         ok         ok         not_member  not_found
message.history around        ok         ok         ok         not_member  not_found
search.messages               ok         ok         ok         not_member  not_found
message.send                  ok         ok         forbidden  not_member  not_found
message.send reply            ok         ok         forbidden  not_member  not_found
message.send to all           ok         mention_all_refused  forbidden  not_member  not_found
message.edit own              ok         ok         forbidden  not_member  -
message.edit to all           ok         mention_all_refused  forbidden  not_member  -
message.edit another's        forbidden  forbidden  forbidden  not_member  not_found
message.edit deleted          not_found  not_found  forbidden  not_member  -
message.delete own            ok         ok         ok         not_member  -
message.delete another's      ok         forbidden  forbidden  not_member  not_found
message.delete deleted        ok         ok         ok         not_member  -
message.read                  ok         ok         ok         not_member  not_found
message.readers               ok         ok         ok         not_member  not_found
push.trace                    ok         ok         ok         not_member  not_found
push.trace of another         forbidden  forbidden  forbidden  not_member  not_found
message.pin                   ok         forbidden  forbidden  not_member  not_found
message.unpin                 ok         forbidden  forbidden  not_member  not_found
pin.list                      ok         ok         ok         not_member  not_found
file.get                      ok         ok         ok         not_found   not_found
file.thumb                    ok         ok         ok         not_found   not_found
file.complete                 not_found  not_found  not_found  not_found   not_found
reaction.set                  ok         ok         ok         not_member  not_found
reaction.add                  ok         ok         ok         not_member  not_found
reaction.remove               ok         ok         ok         not_member  not_found
reaction.list                 ok         ok         ok         not_member  not_found
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
message.send to all           ok         forbidden  forbidden  not_member  not_found
message.edit own              ok         forbidden  forbidden  not_member  -
message.edit to all           ok         forbidden  forbidden  not_member  -
message.edit deleted          not_found  forbidden  forbidden  not_member  -
"""
# Both are members for good.
_DIRECT: Final = """
                              member     stranger
conversation.get              ok         not_found
conversation.update           forbidden  not_found
conversation.leave            ok         not_found
conversation.read seq         ok         not_found
conversation.read message     ok         not_found
conversation.read mark        ok         not_found
message.history               ok         not_found
message.history around        ok         not_found
search.messages               ok         not_found
message.send                  ok         not_found
message.send reply            ok         not_found
message.send to all           ok         not_found
message.edit own              ok         -
message.edit to all           ok         -
message.edit another's        forbidden  not_found
message.edit deleted          not_found  -
message.delete own            ok         -
message.delete another's      forbidden  not_found
message.delete deleted        ok         -
message.read                  ok         not_found
message.readers               ok         not_found
push.trace                    ok         not_found
push.trace of another         forbidden  not_found
message.pin                   ok         not_found
message.unpin                 ok         not_found
pin.list                      ok         not_found
file.get                      ok         not_found
file.thumb                    ok         not_found
file.complete                 not_found  not_found
reaction.set                  ok         not_found
reaction.add                  ok         not_found
reaction.remove               ok         not_found
reaction.list                 ok         not_found
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
# Requests that concern no conversation, or only the user's own ones, are refused to nobody.
FOR_EVERYBODY: Final = frozenset(
    (
        *("conversation.create", "conversation.list", "conversation.sync"),
        *("resume", "unsubscribe", "auth.refresh", "ping", "stats.get", "ticket.give"),
        *("user.list", "user.me", "mention.list", "file.create"),
        *("push.subscribe", "push.unsubscribe", "push.key", "push.test"),
        *("push.settings.get", "push.settings.update"),
        *("presence.online", "presence.list", "presence.set", "presence.watch", "presence.unwatch"),
    )
)


def _rows(table: str) -> dict[str, dict[str, str]]:
    head, *lines = table.strip("\n").splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines]
    return {what: dict(zip(head.split(), cells, strict=True)) for what, *cells in rows}


_group = _rows(_GROUP)
# Type -> request -> role -> outcome.
EXPECTED: Final = {
    "group": _group,
    "announcement": _group | _rows(_ANNOUNCEMENT),
    "direct": _rows(_DIRECT),
}
