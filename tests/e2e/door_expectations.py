"""What PROTOCOL and PROTOCOL-2 promise at each door: client routes, server routes, and the socket.

`DOORS` holds for every operation. `HOST` has a row for every operation with a server route, and `INTERNAL`
names the operations that no door opens.
"""

from __future__ import annotations

import re
from typing import Final

# "roles" refers to the tables in expectations.py, "host" to the one below.
_DOORS: Final = """
                          client route      server route      socket
no token                  401 unauthorized  401 unauthorized  closed
member's token            roles             401 unauthorized  roles
admin's token             roles             401 unauthorized  roles
former member's token     roles             401 unauthorized  roles
stranger's token          roles             401 unauthorized  roles
operator's token          roles             401 unauthorized  roles
deactivated user's token  401 unauthorized  401 unauthorized  closed
server key                401 unauthorized  host              closed
key without the scope     401 unauthorized  403 key_scope     closed
revoked key               401 unauthorized  401 unauthorized  closed
key with an Origin        401 unauthorized  403 forbidden     closed
"""
# What a key with one of the scopes gets. An announcement is like a group unless it has a row of its own.
# Under "absent" are requests about a conversation, message or user that doesn't exist.
_HOST: Final = """
                                     group            direct         absent
conversation.update                  200              403 forbidden  404 not_found
participant.add                      200              403 forbidden  404 not_found
participant.remove                   204              403 forbidden  404 not_found
participant.update                   200              403 forbidden  404 not_found
message.delete                       204              204            404 not_found
push.trace                           200              200            404 not_found
server.conversation.ensure new       201              200            -
server.conversation.ensure known     200              200            -
server.conversation.by_key           200              200            404 not_found
server.conversation.get              200              200            404 not_found
server.conversation.close            204              204            404 not_found
server.message.send as member        201              201            404 not_found
server.message.send as observer      403 forbidden    -              404 not_found
server.message.send as former        403 not_member   -              404 not_found
server.message.send as stranger      404 not_found    404 not_found  404 not_found
server.message.send as the system    201              201            404 not_found
server.user.upsert                   200              200            -
server.user.get                      200              200            404 not_found
server.user.list                     200              200            -
server.user.deactivate               204              204            404 not_found
server.user.reactivate               204              204            404 not_found
server.user.sessions.revoke          204              204            404 not_found
server.user.token                    201              201            404 not_found
server.webhook.put                   200              200            -
server.webhook.list                  200              200            -
server.webhook.get                   200              200            404 not_found
server.webhook.rotate                200              200            404 not_found
server.webhook.test                  200              200            404 not_found
server.webhook.attempts              200              200            404 not_found
server.webhook.redeliver             200              200            404 not_found
server.webhook.delete                204              204            404 not_found
server.events                        200              200            -
"""
# Only admins write.
_HOST_IN_ANNOUNCEMENT: Final = """
                                     announcement     absent
server.message.send as member        403 forbidden    404 not_found
"""
# Between services, gateways and admin commands.
INTERNAL: Final = frozenset(
    (
        *("conversation.memberships", "conversation.heads", "conversation.changes", "conversation.view"),
        *("presence.report", "presence.leave", "presence.states", "presence.look", "presence.choose"),
        *("contacts.among", "contacts.page", "operator.close", "operator.post"),
        *("user.admit", "server.user.set_deactivated"),
        *("file.add", "file.find", "file.upload", "file.finish", "file.take_due", "file.removed"),
        *("file.take_pending", "file.processed", "file.put_back"),
        "server.events.read",
        *("push_key.list", "push_key.rotate"),
        *("server_key.create", "server_key.list", "server_key.revoke", "server_key.verify"),
    )
)


def _rows(table: str) -> dict[str, dict[str, str]]:
    head, *lines = [re.split(r"\s{2,}", line) for line in table.strip("\n").splitlines()]
    return {what: dict(zip(head[1:], cells, strict=True)) for what, *cells in lines}


DOORS: Final = _rows(_DOORS)
HOST: Final = {
    type_: {what: {"there": cells[column], "absent": cells["absent"]} for what, cells in rows.items()}
    for type_, column, rows in (
        ("group", "group", _rows(_HOST)),
        ("direct", "direct", _rows(_HOST)),
    )
}
HOST["announcement"] = HOST["group"] | {
    what: {"there": cells["announcement"], "absent": cells["absent"]}
    for what, cells in _rows(_HOST_IN_ANNOUNCEMENT).items()
}
