"""What webhooks are made of: signatures, bodies, and when what failed is tried again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Judge

from chat_api.outgoing.signatures import new_secret, signed_headers
from chat_api.publisher import message_event, pins_event
from chat_api.webhooks import schedule
from chat_api.webhooks.bodies import body_of, event_id, presence_body, presence_id
from chat_api.webhooks.schedule import RETRY_AFTER_MAX_S, Verdict, asked_s, delay_s, verdict_of
from messenger_sdk import verify_webhook
from messenger_shared.contract.presence_states import OFFLINE, Change

ROOM = "00000000-0000-7000-8000-00000000000c"


def test_every_secret_signs_as_the_standard_has_it() -> None:
    secrets, body = [new_secret(), new_secret()], '{"a": "글"}'.encode()
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers("evt_1", now, body, secrets)
    for secret in secrets:
        assert Judge(secret).verify(body, headers) == {"a": "글"}
        assert verify_webhook(body, headers, secret) == {"a": "글"}
    assert (
        Judge(secrets[0]).sign("evt_1", datetime.fromtimestamp(now, UTC), body.decode())
        == (headers["webhook-signature"].split()[0])
    )


def test_the_schedule_is_about_75_hours_long_with_jitter() -> None:
    for chance in (0.0, 0.5, 1.0):
        delays = [delay_s(attempt, chance=lambda chance=chance: chance) for attempt in range(1, 10)]  # type: ignore[misc]
        assert sum(delay or 0 for delay in delays) == pytest.approx(
            75.6 * 3_600 * (0.9 + 0.2 * chance), rel=0.01
        )
    assert delay_s(len(schedule.DELAYS_S) + 1) is None
    # A receiver may ask for more, never for less.
    assert delay_s(1, 60) == 60
    assert (delay_s(3, 60) or 0) > 1_000


def test_what_receivers_ask_for_is_obeyed_within_bounds() -> None:
    for status, text, seconds in (
        (429, "30", 30.0),
        (503, "30", 30.0),
        (503, "9" * 400, RETRY_AFTER_MAX_S),
        (503, "soon", 0.0),
        (500, "30", 0.0),
        (200, "30", 0.0),
    ):
        assert asked_s(status, {"retry-after": text}) == seconds, text
    assert asked_s(503, {}) == 0.0


def test_only_two_hundreds_are_success() -> None:
    expected = {200: "delivered", 204: "delivered", 299: "delivered", 410: "gone"}
    for status in range(200, 600):
        assert verdict_of(status) is Verdict(expected.get(status, "delivered" if status < 300 else "failed"))


def test_a_body_has_the_events_own_fields_and_the_messages_time() -> None:
    message = {
        "id": "m",
        "conversation_id": ROOM,
        "pos": 7,
        "sender_id": 1,
        "created_at": "a",
        "edited_at": "b",
    }
    for is_new, time in ((True, "a"), (False, "b")):
        event = message_event(message, is_new=is_new)  # type: ignore[arg-type]
        body = body_of(event, "noticed")
        assert body["timestamp"] == time
        assert (body["data"]["data"], body["data"]["pos"]) == (message, 7)
        assert event_id(event) == f"evt_{ROOM}_7"
    assert body_of(pins_event(ROOM, 8, 1, []), "noticed") == {
        "type": "conversation.pins",
        "timestamp": "noticed",
        "data": {"conversation_id": ROOM, "pos": 8, "message_ids": [], "user_id": 1},
    }


def test_a_transition_has_an_id_of_its_own_and_no_order() -> None:
    change = Change(version=5, user_id=7, status=OFFLINE, at_ms=2_000, seen_ms=1_000, hides=False)
    assert presence_id(change) == "evt_presence_7_5"
    at = "1970-01-01T00:00:02.000Z"
    data = {"user_id": 7, "timestamp": at, "last_seen_at": "1970-01-01T00:00:01.000Z"}
    body = {"type": "user.offline", "timestamp": at, "data": data, "ordered": False}
    assert presence_body(change) == body
    del data["last_seen_at"]
    assert presence_body(change._replace(seen_ms=None)) == body
