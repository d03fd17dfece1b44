"""Reading verdicts, and keeping messages in order while verdicts take their time."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from chat_api.before_send.asking import ALLOWED, NoVerdict, Verdict, verdict_of
from chat_api.before_send.turns import Turns
from chat_api.outgoing.client import Answer
from chat_api.outgoing.signatures import is_secret, signed_headers
from chat_api.settings import BeforeSendSettings
from messenger_shared.settings.environment import Environment, SettingsError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LONGEST = "x" * 10_000
VERDICTS = [
    ({"action": "allow"}, ALLOWED),
    ({"action": "allow", "content": 1, "other": "x"}, ALLOWED),
    ({"action": "replace", "content": LONGEST}, Verdict("replace", LONGEST)),
    ({"action": "replace", "content": "😀"}, Verdict("replace", "😀")),
    ({"action": "reject"}, Verdict("reject")),
    ({"action": "reject", "text": "No."}, Verdict("reject", "No.")),
    # A text that can't be shown is left out.
    *(({"action": "reject", "text": text}, Verdict("reject")) for text in (None, 1, "", " ", "a\x00b")),
    ({"action": "reject", "text": "x" * 501}, Verdict("reject", "x" * 500)),
]
NONE = [
    *({}, [], "allow", None, {"action": "Allow"}, {"action": ["allow"]}, {"action": None}),
    *({"action": "replace", "content": bad} for bad in (None, 1, "", " \u2800", LONGEST + "x", "a\x00b")),
    {"action": "replace"},
]


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, {}, orjson.dumps(body))


def test_a_verdict_is_read_from_a_proper_answer_alone() -> None:
    for body, verdict in VERDICTS:
        assert verdict_of(answer(body), may_be_blank=False) == verdict
    for body in NONE:
        with pytest.raises(NoVerdict):
            verdict_of(answer(body), may_be_blank=False)
    for status in (201, 204, 302, 404, 500):
        with pytest.raises(NoVerdict):
            verdict_of(answer({"action": "allow"}, status), may_be_blank=False)
    for text in (
        b"",
        b"allow",
        b'{"action": "allow"',
        b'{"action": "replace", "content": "\\ud800"}',
        b"\xff",
    ):
        with pytest.raises(NoVerdict):
            verdict_of(Answer(200, {}, text), may_be_blank=False)
    # A message with a file may lose its text.
    nothing = answer({"action": "replace", "content": ""})
    assert verdict_of(nothing, may_be_blank=True) == Verdict("replace", "")


async def test_turns_come_in_the_order_in_which_they_were_taken() -> None:
    turns, order = Turns(), []

    async def run(name: str, ready: asyncio.Event, *, gives_up: bool = False) -> None:
        turn = turns.take("row")
        try:
            await ready.wait()
            if gives_up:
                return
            await turn.comes()
            order.append(name)
        finally:
            turn.end()

    ready = [asyncio.Event() for _ in range(4)]
    runs = [run(str(number), event, gives_up=number == 1) for number, event in enumerate(ready)]
    tasks = [asyncio.create_task(one) for one in runs]
    # The second one gives up early; the third one waits for the first nevertheless.
    for number in (3, 2, 1):
        ready[number].set()
    await asyncio.sleep(0)
    other = turns.take("another row")
    await other.comes()
    other.end()
    assert order == []
    ready[0].set()
    await asyncio.gather(*tasks)
    assert order == ["0", "2", "3"]
    await asyncio.sleep(0)
    assert not turns._last


async def test_a_cancelled_turn_holds_up_nobody_for_longer_and_cancels_nobody() -> None:
    turns = Turns()
    first, second, third = (turns.take("row") for _ in range(3))
    waiting = [asyncio.create_task(turn.comes()) for turn in (second, third)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    second.end()
    await asyncio.sleep(0)
    assert not waiting[1].done()
    first.end()
    await waiting[1]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification.
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert is_secret(SECRET)
    for bad in ("", "whsec_", SECRET.removeprefix("whsec_"), "whsec_AAAA", SECRET + "!", "whsec_" + "A" * 88):
        assert not is_secret(bad)


def test_the_settings_need_a_url_and_a_secret() -> None:
    url, secret, fail = (f"MESSENGER_BEFORE_SEND_{name}" for name in ("URL", "SECRET", "FAIL"))
    assert BeforeSendSettings.read(Environment({})) is None
    good = BeforeSendSettings.read(Environment({url: "http://[::1]:8000/check", secret: SECRET}))
    assert good == BeforeSendSettings("http://[::1]:8000/check", SECRET, True)
    assert good.host == "::1"
    closed = BeforeSendSettings.read(Environment({url: "https://a", secret: SECRET, fail: "closed"}))
    assert closed is not None
    assert not closed.fails_open
    for env, name in (
        ({url: "https://a"}, secret),
        ({url: "https://a", secret: "whsec_" + "!" * 40}, secret),
        ({url: "a/b", secret: SECRET}, url),
        ({url: "https://a", secret: SECRET, fail: "shut"}, fail),
    ):
        with pytest.raises(SettingsError, match=name) as refused:
            BeforeSendSettings.read(Environment(env))
        assert "!!!" not in str(refused.value)
