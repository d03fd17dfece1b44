"""Makes chat-api's stores run each of their statements, for a user who may do it."""

from __future__ import annotations

from chat_api.model import Draft, Edit, NewConversation, Reaction
from chat_api.push.model import QuietHours
from chat_api.search.matching import Words
from chat_api.search.query import LAST_ID, Query
from chat_api.search.store import Block, Lag
from chat_api.storage.before_send import PgSendFacts
from chat_api.storage.changes import PgChanges
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.event_log import PgEventLog
from chat_api.storage.files import PgFiles
from chat_api.storage.messages import PgMessages
from chat_api.storage.operators import PgOperators
from chat_api.storage.participants import PgParticipants
from chat_api.storage.pins import PgPins
from chat_api.storage.push import PgPush
from chat_api.storage.push_keys import PgPushKeys
from chat_api.storage.reactions import PgReactions
from chat_api.storage.receipts import PgReceipts
from chat_api.storage.row_level_security import check_row_level_security
from chat_api.storage.search import PgSearch
from chat_api.storage.server_conversations import PgServerConversations
from chat_api.storage.server_keys import PgServerKeys
from chat_api.storage.settings import PgSettings
from chat_api.storage.titles import PgTitles
from chat_api.storage.users import PgUsers
from chat_api.storage.webhooks import PgWebhooks
from chat_api.webhooks.store import NewSecret
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database
from tests.contract.row_level_security_cases import (
    ADMIN,
    ADMIN_FILE,
    ADMIN_MESSAGE,
    HERE,
    MEMBER,
    NEW,
    STRANGER,
)

OUTSIDER = 5
SENT_FILE, REFUSED_FILE = "00000000-0000-7000-8000-0000000000f3", "00000000-0000-7000-8000-0000000000f4"
REJECTED_FILE = "00000000-0000-7000-8000-0000000000f6"
WITH_FILE = "00000000-0000-7000-8000-0000000000f5"
NEW_BY_KEY = "00000000-0000-7000-8000-0000000000f0"
LAST = "00000000-0000-7000-8000-0000000000f1"
DIRECT = "00000000-0000-7000-8000-00000000000f"


async def run_all_statements(database: Database) -> None:
    """Runs everything that the stores do, as a user who may do it."""
    await check_row_level_security(database)
    await run_search_statements(database)
    await run_webhook_statements(database)
    await run_push_statements(database)
    await run_message_statements(database)
    await run_file_statements(database)
    await run_conversation_statements(database)
    participants, contacts = PgParticipants(database), PgContacts(database)
    await participants.add(HERE, ADMIN, [OUTSIDER], "admin")
    await participants.set_role(HERE, ADMIN, OUTSIDER, "member")
    await participants.page(HERE, ADMIN, 0, 10)
    await participants.get(HERE, ADMIN, MEMBER)
    await participants.remove(HERE, ADMIN, OUTSIDER)
    await participants.leave(DIRECT, ADMIN)
    await PgSettings(database).update(HERE, ADMIN, {"muted": True})
    await PgSettings(database).get(HERE, ADMIN)
    await contacts.among(ADMIN, [MEMBER, STRANGER])
    await contacts.page(ADMIN, 0, 10)
    await run_host_statements(database)
    # Last, because nobody is left in the conversation afterwards.
    everybody = {"mentions": {"user_ids": [], "all": True}, "entities": []}
    await PgOperators(database).post(HERE, DIRECT, "x", everybody)
    await PgOperators(database).close(HERE)


async def run_host_statements(database: Database) -> None:
    """Runs the work on users, server keys, and conversations by the host's keys."""
    users, keys, by_key = PgUsers(database), PgServerKeys(database), PgServerConversations(database)
    await users.named(ADMIN, [(HERE, MEMBER)])
    await users.contacts(ADMIN, [MEMBER])
    await users.find(ADMIN, "mem", 0, 10, of_everyone=False)
    await users.profiles(ADMIN, [ADMIN])
    await users.by_external_ids(["m"])
    await users.page(0, 10)
    for user in ({"id": OUTSIDER}, {"external_id": "m"}, {"id": OUTSIDER, "name": "o"}):
        await users.admit([{**user, "issued_at": 1.0}])
    await users.upsert([{"id": OUTSIDER, "name": "o"}])
    await users.set_deactivated(OUTSIDER, deactivated=True)
    await users.conversations(ADMIN)
    await keys.add("l", "n", "00", ["users"])
    await keys.all()
    await keys.use("k", "")
    await keys.revoke("k")
    await keys.record("k", "o", None)
    pair = NewConversation(NEW_BY_KEY, "direct", None, ADMIN, {ADMIN: "member", MEMBER: "member"}, "1:2")
    group = NewConversation(NEW_BY_KEY, "group", "t", ADMIN, {ADMIN: "admin"}, None)
    here = NewConversation(NEW, "group", "t", ADMIN, {OUTSIDER: "member"}, None)
    for key, new in (("direct", pair), ("new", group), ("here", here)):
        await by_key.ensure(key, new, {"a": 1})
    await by_key.by_key("here")
    await by_key.extras(HERE)
    messages = PgMessages(database)
    await messages.store([Draft(LAST, HERE, ADMIN, None, "text", "x", None, None, None, None)])
    await messages.delete(LAST, SERVER)


async def run_message_statements(database: Database) -> None:
    """Runs the work on messages, twice where the second time takes another path."""
    messages, receipts = PgMessages(database), PgReceipts(database)
    await messages.store([Draft(NEW, HERE, ADMIN, "c", "text", "x", None, None, None, None)])
    await messages.sent([ADMIN_MESSAGE], [ADMIN])
    draft = Draft(ADMIN_MESSAGE, HERE, ADMIN, "c", "text", "x", None, None, None, None, None, [ADMIN_FILE])
    await PgSendFacts(database).of(draft)
    for forward in (False, True):
        await messages.page(HERE, ADMIN, 2, 10, forward)
    await messages.mentioning(ADMIN, 2**63 - 1, 10)
    everybody = {"mentions": {"user_ids": [], "all": True}, "entities": []}
    one = {"mentions": {"user_ids": [MEMBER], "all": False}, "entities": []}
    for mentions in (None, None, everybody, one):
        await messages.edit(ADMIN_MESSAGE, ADMIN, Edit("y", mentions, None))
    await messages.versions(ADMIN_MESSAGE, ADMIN, 0, 10)
    await messages.facts(ADMIN_MESSAGE, ADMIN)
    reactions, pins = PgReactions(database, ["admin"], 30), PgPins(database)
    await reactions.store([Reaction(ADMIN_MESSAGE, ADMIN, "👍", True)])
    await reactions.page(ADMIN_MESSAGE, ADMIN, None, 0, 10)
    await pins.set(ADMIN_MESSAGE, ADMIN, is_pinned=False)
    await pins.set(ADMIN_MESSAGE, ADMIN, is_pinned=True)
    await pins.page(HERE, ADMIN, 2**63 - 1, 10)
    for _ in range(2):
        await messages.delete(ADMIN_MESSAGE, ADMIN)
    await receipts.mark(HERE, ADMIN, 1)
    await receipts.read(HERE, ADMIN, 2)
    await receipts.unread_of(HERE, ADMIN, [MEMBER])
    await receipts.readers(HERE, ADMIN, 1, ADMIN, 0, 10)


async def run_push_statements(database: Database) -> None:
    """Runs the work on devices, settings, decisions and keys."""
    push, keys = PgPush(database), PgPushKeys(database)
    await keys.current()
    await keys.rotate()
    await keys.uses()
    await keys.pairs()
    await push.subscribe(ADMIN, "fcm", "b", None, None)
    await push.queue_test(ADMIN)
    await push.set_quiet_hours(ADMIN, QuietHours("22:00", "07:00", "UTC"))
    await push.quiet_hours(ADMIN)
    await push.set_quiet_hours(ADMIN, None)
    await push.facts(ADMIN, HERE, 1, ADMIN)
    await push.decision(ADMIN, HERE, 1, ADMIN)
    await push.unsubscribe(ADMIN, "b")


async def run_search_statements(database: Database) -> None:
    """Runs what searches read. The words are in no block, since the test's databases have none."""
    store = PgSearch(database)
    nothing = {"conversation_id": None, "from": None, "has": None, "after": None, "before": None}
    query = Query.of({"q": "x y", **nothing})
    below = (2**50, LAST_ID)
    await store.scope(query, ADMIN, 1, None, None)
    await store.newest_blocks(query, ADMIN, 1, [HERE], below, None)
    await store.next_blocks(query, ADMIN, 1, [HERE], below, (HERE, 0))
    await store.rare_blocks(query, ADMIN, 1, below)
    await store.starts(ADMIN, 1, [HERE], below)
    await store.messages(query, ADMIN, 1, [Block(0, HERE, 1, 2)], None)
    await store.changed(query, ADMIN, 1, [Lag(HERE, 0, 9)], None)
    await store.times(ADMIN, 1, [(HERE, 1)])
    await store.by_id(query, ADMIN, [ADMIN_MESSAGE])


async def run_webhook_statements(database: Database) -> None:
    """Runs the work on webhooks and the log of events."""
    log, webhooks = PgEventLog(database), PgWebhooks(database)
    await log.head()
    await log.page(1, 10)
    await log.append(NEW, [HERE], [0], [1])
    await log.forget(30, 10)
    secret = NewSecret(LAST, "s")
    await webhooks.put("w", "https://host.example", ["t"], disabled=False, new=secret, at_most=10)
    await webhooks.all("w")
    await webhooks.rotate("w", secret, 1)
    await webhooks.attempts("w", 2**63 - 1, 10)
    await webhooks.redeliver("w", None, None)
    await webhooks.redeliver("w", HERE, 1)
    await webhooks.delete("w")


async def run_file_statements(database: Database) -> None:
    """Runs the work on files: one is sent and ends with its message, one is refused, one rejected."""
    files, messages = PgFiles(database, 1_000, 10), PgMessages(database)
    for file_id in (SENT_FILE, SENT_FILE, REFUSED_FILE, REJECTED_FILE):
        await files.add(ADMIN, file_id, "a", 1, "text/plain", "00")
    await files.upload(SENT_FILE)
    for file_id in (SENT_FILE, SENT_FILE, REJECTED_FILE):
        await files.finish(file_id, ADMIN, "text/plain", "file", 0)
    await files.find(SENT_FILE, ADMIN)
    message = Draft(WITH_FILE, HERE, ADMIN, None, "text", "x", None, None, None, None, None, [SENT_FILE])
    await messages.store([message])
    assert len(await files.take_pending(10, 60)) == 2
    await files.put_back(SENT_FILE, 60)
    for file_id, state in ((SENT_FILE, "ready"), (REJECTED_FILE, "rejected")):
        await files.settle(file_id, {"state": state, "mime": "text/plain", "kind": "file", "size": 1})
    await files.removed([REJECTED_FILE])
    await messages.delete(WITH_FILE, ADMIN)
    await files.refuse(REFUSED_FILE, ADMIN)
    assert set(await files.take_due(10)) == {SENT_FILE, REFUSED_FILE}
    await files.removed([SENT_FILE, REFUSED_FILE])


async def run_conversation_statements(database: Database) -> None:
    """Runs the work on conversations and their events."""
    conversations, changes = PgConversations(database), PgChanges(database)
    group = NewConversation(NEW, "group", "t", ADMIN, {ADMIN: "admin", MEMBER: "member"}, None)
    direct = NewConversation(DIRECT, "direct", None, ADMIN, {ADMIN: "member", MEMBER: "member"}, "1:2")
    for new in (group, group, direct):
        await conversations.create(new)
    await conversations.describe(HERE, ADMIN)
    await conversations.rename(HERE, ADMIN, "another")
    await conversations.membership(HERE, ADMIN)
    await conversations.list_for(ADMIN, None, 10)
    await conversations.list_for(ADMIN, None, 10, [HERE])
    await PgTitles(database).find(ADMIN, Words("an"), None, 10)
    await conversations.counters(ADMIN, None, 10)
    await conversations.memberships([ADMIN])
    await conversations.member_ids(HERE, ADMIN, 10)
    await conversations.last_positions([HERE])
    for caller in (ADMIN, 0):
        await changes.after(HERE, caller, 0)
