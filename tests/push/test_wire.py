"""What a push is on the wire, by the examples of the RFCs, and by a browser that decrypts."""

from __future__ import annotations

import time

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chat_api.feed.push.webpush import result_of
from chat_api.push.aes128gcm import PAYLOAD_BYTES, encrypt
from chat_api.push.model import Result
from chat_api.push.payloads import TEXT_CHARS, Shown, message_push
from chat_api.push.vapid import Vapid, new_key_pair, point_of, private_key_of
from messenger_shared.contract.schemas.push import decoded, encoded
from tests.push.service import Browser, decrypt, verified

# RFC 8291, section 5.
TEXT = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
    "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
# RFC 8292, section 2.4.
AUTHORIZATION = (
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0"
    "NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUf"
    "nK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic"
    "-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)


def raw(text: str) -> bytes:
    found = decoded(text)
    assert found is not None
    return found


def test_a_body_is_that_of_the_rfc() -> None:
    body = encrypt(
        TEXT, raw(RECEIVER_POINT), raw(AUTH), private_key=private_key_of(raw(SENDER)), salt=raw(SALT)
    )
    assert encoded(body) == BODY
    assert decrypt(body, private_key_of(raw(RECEIVER)), raw(AUTH)) == TEXT


def test_each_body_is_another_and_a_browser_reads_it() -> None:
    browser = Browser("http://push", 1)
    bodies = {encrypt(TEXT, browser.point, browser.auth) for _ in range(3)}
    assert len(bodies) == 3
    for body in bodies:
        assert decrypt(body, browser.private_key, browser.auth) == TEXT
    largest = encrypt(b"\x02" * PAYLOAD_BYTES, browser.point, browser.auth)
    assert len(largest) == 4096
    with pytest.raises(ValueError, match="too long"):
        encrypt(b"x" * (PAYLOAD_BYTES + 1), browser.point, browser.auth)
    with pytest.raises(ValueError):  # noqa: PT011  (the text is the library's)
        encrypt(TEXT, b"\x04" + b"\x01" * 64, browser.auth)


def test_the_judge_of_tokens_takes_the_rfcs() -> None:
    key, claims = verified(AUTHORIZATION)
    assert key.startswith("BA1Hxzyi1RUM")
    assert claims == {
        "aud": "https://push.example.net",
        "exp": 1453523768,
        "sub": "mailto:push@example.com",
    }
    with pytest.raises(Exception):  # noqa: B017, PT011
        verified(AUTHORIZATION.replace("i3CYb7t4", "i3CYb7t5"))


def test_a_token_names_the_origin_the_contact_and_half_a_day() -> None:
    pair = new_key_pair()
    vapid = Vapid(pair, "mailto:ops@example.com")
    header = vapid.authorization("https://push.example:8443/some/secret?x=1")
    key, claims = verified(header)
    assert key == pair.public_key
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "mailto:ops@example.com"
    assert 0 < claims["exp"] - time.time() <= 24 * 3600
    # It is made once for each origin.
    assert vapid.authorization("https://push.example:8443/another") == header
    assert vapid.authorization("https://push.example/some") != header
    assert "sub" not in verified(Vapid(pair, "").authorization("https://push.example/"))[1]


def test_a_pair_of_keys_is_one_and_shows_nothing_secret() -> None:
    for _ in range(20):
        pair = new_key_pair()
        assert encoded(point_of(private_key_of(pair.private_key).public_key())) == pair.public_key
        assert len(pair.private_key) == 32
        assert pair.private_key.hex() not in repr(pair)
        assert str(pair.private_key) not in repr(pair)
    assert isinstance(private_key_of(pair.private_key).curve, ec.SECP256R1)


def test_what_an_answer_means() -> None:
    for status, expected in (
        *((status, Result("sent")) for status in (200, 201, 202, 204)),
        *((status, Result("gone")) for status in (404, 410)),
        *((status, Result("failed", str(status))) for status in (301, 400, 401, 403, 413)),
        *((status, Result("retry", str(status))) for status in (429, 500, 502, 503)),
    ):
        assert result_of(status, {}) == expected
    assert result_of(429, {"retry-after": "120"}).retry_after_s == 120
    assert result_of(429, {"retry-after": "999999999"}).retry_after_s == 86_400
    assert result_of(503, {"retry-after": "soon"}).retry_after_s is None


def test_a_push_shows_as_much_as_it_may_and_always_fits() -> None:
    worst = Shown("m" * 36, "group", "\x01" * 255, 1, "\x01" * 100, "text", "\x01" * 5_000)
    browser = Browser("http://push", 1)
    for shown in (worst, worst._replace(text="\U0001f600" * 5_000), worst._replace(text=None)):
        for texts, fields in (
            ("full", {"conversation", "sender", "message_type", "text"}),
            ("sender", {"conversation", "sender", "message_type"}),
            ("none", set[str]()),
        ):
            push = message_push("c" * 36, 7, shown, 3, texts, is_mentioned=False, age_s=3.2)  # type: ignore[arg-type]
            always = {"type", "conversation_id", "message_id", "seq", "badge", "mention"}
            assert set(push.payload) == always | fields
            assert len(push.payload.get("text") or "") <= TEXT_CHARS

            encrypt(orjson.dumps(push.payload), browser.point, browser.auth)
            assert push.ttl_s == 86_396
    plain = Shown("m" * 36, "group", None, 1, "Ada", "text", "hello")
    assert message_push("c", 7, plain, 3, "full", is_mentioned=False, age_s=0).payload["text"] == "hello"
    for shown, is_mentioned, urgency in (
        (plain, False, "normal"),
        (plain, True, "high"),
        (plain._replace(conversation_type="direct"), False, "high"),
    ):
        push = message_push("c", 7, shown, 3, "full", is_mentioned=is_mentioned, age_s=0)
        assert push.urgency == urgency
    assert message_push("c", 7, plain, 3, "full", is_mentioned=True, age_s=1e9).ttl_s == 0
