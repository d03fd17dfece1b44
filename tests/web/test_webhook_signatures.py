"""npm's `standardwebhooks` verifies what we sign, and the SDK verifies what it signs."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chat_api.outgoing.signatures import new_secret, signed_headers
from messenger_sdk import WebhookError, verify_webhook

WEB = Path(__file__).parents[2] / "services/gateway/web"
JUDGE = Path(__file__).with_name("judge.mjs")
LIMIT_S = 60
BODIES = (
    "{}",
    '{"a": "글 👋🏽"}',
    '{"a": "\u2028é\\u00e9"}',
    json.dumps({"a": "ㅎ" * 9_000}, ensure_ascii=False),
)
OLD_S = 301


class Case(NamedTuple):
    """A body that is signed with `signed_with`, and verified with `secret`."""

    body: str
    age_s: int
    secret: str
    signed_with: list[str]

    @property
    def is_fine(self) -> bool:
        return abs(self.age_s) < OLD_S and self.secret in self.signed_with


def cases() -> list[Case]:
    old, new, other = new_secret(), new_secret(), new_secret()
    found = [Case(body, 0, new, [new]) for body in BODIES]
    # A margin for the time that a busy machine takes.
    found += [Case(BODIES[1], age_s, new, [new]) for age_s in (-240, 240, OLD_S, -OLD_S - LIMIT_S)]
    return [
        *found,
        Case("{}", 0, old, [new, old]),
        Case("{}", 0, new, [new, old]),
        Case("{}", 0, other, [new]),
    ]


def test_each_verifies_what_the_other_signs() -> None:
    if shutil.which("node") is None or not (WEB / "node_modules/standardwebhooks").is_dir():
        pytest.skip("Node.js, or what `make web` installs, is missing: npm's judge was not asked")
    now, all_cases = int(time.time()), cases()
    for case, said in zip(all_cases, _judged(all_cases, now), strict=True):
        if case.is_fine:
            assert (said["verified"], said["error"]) == (json.loads(case.body), None), case
        else:
            assert said["error"] is not None, case
        headers = _headers(case, now) | {"webhook-signature": said["signature"]}
        assert verify_webhook(case.body, headers, case.secret, now=now - case.age_s) == json.loads(case.body)
        with pytest.raises(WebhookError, match="old"):
            verify_webhook(case.body, headers, case.secret, now=now - case.age_s + OLD_S)
        with pytest.raises(WebhookError, match="matches"):
            verify_webhook(case.body + " ", headers, case.secret, now=now - case.age_s)


def _judged(all_cases: list[Case], now: int) -> list[Any]:
    """What the judge says of each: the `signature` that it makes, and `verified` or `error`."""
    asked = [
        case._asdict() | {"id": "evt_1", "at": now - case.age_s, "headers": _headers(case, now)}
        for case in all_cases
    ]
    done = subprocess.run(
        ["node", JUDGE], cwd=WEB, input=json.dumps(asked), capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def _headers(case: Case, now: int) -> dict[str, str]:
    return signed_headers("evt_1", now - case.age_s, case.body.encode(), case.signed_with)
