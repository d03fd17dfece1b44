"""What the SDK signs and verifies without a request."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from messenger_sdk import WebhookError, mint_token, verify_webhook
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd

# Test vectors that Standard Webhooks has published.
VECTORS = [
    (
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        b'{"event_type":"ping","data":{"success":true}}',
        "msg_loFOjxBNrRLzqYUf",
        1731705121,
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    ),
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
]
SECRET, BODY, ID, AT, SIGNATURE = VECTORS[0]
OTHER = "whsec_" + base64.b64encode(bytes(range(24))).decode()


def headers(**changed: str | None) -> dict[str, str]:
    found = {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
    wanted = {**found, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize(("secret", "body", "id_", "at", "signature"), VECTORS)
def test_published_vectors_pass(secret: str, body: bytes, id_: str, at: int, signature: str) -> None:
    given = {"Webhook-Id": id_, "Webhook-Timestamp": str(at), "Webhook-Signature": signature}
    assert verify_webhook(body, given, secret, now=at)


def test_one_of_several_signatures_or_secrets_is_enough() -> None:
    signatures = f"v1a,xyz v1,{base64.b64encode(bytes(32)).decode()} {SIGNATURE}"
    assert verify_webhook(BODY.decode(), headers(webhook_signature=signatures), [OTHER, SECRET], now=AT + 299)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_id": "msg_other"},
        {"webhook_id": None},
        {"webhook_timestamp": str(AT + 1)},
        {"webhook_timestamp": "soon"},
        {"webhook_timestamp": "١٧٣١٧٠٥١٢١"},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,é"},
        {"webhook_signature": SIGNATURE.removeprefix("v1,")},
        {"webhook_signature": SIGNATURE.replace("v1,", "v2,")},
    ],
)
def test_altered_headers_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(WebhookError):
        verify_webhook(BODY, headers(**changed), SECRET, now=AT)


@pytest.mark.parametrize(
    ("body", "secret", "now"), [(BODY + b" ", SECRET, AT), (BODY, OTHER, AT), (BODY, SECRET, AT + 301)]
)
def test_an_altered_body_another_secret_and_an_old_request_are_refused(
    body: bytes, secret: str, now: int
) -> None:
    with pytest.raises(WebhookError):
        verify_webhook(body, headers(), secret, now=now)


def test_a_secret_that_is_none_is_the_hosts_mistake() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(BODY, headers(), "whsec_not base64", now=AT)


async def test_a_minted_token_is_the_users(stack: SharedStack, crowd: Crowd) -> None:
    one = crowd.newcomer()
    one.token = mint_token(stack.secret, one.user_id, 60, name="Ada")
    me = (await one.get("/users/me")).body
    assert (me["id"], me["name"]) == (one.user_id, "Ada")
    one.token = mint_token(stack.secret, one.user_id, -60)
    assert (await one.get("/users/me")).status == 401
