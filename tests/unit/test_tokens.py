"""Which tokens are valid. Another library makes them than the one that checks them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.auth.signing_keys import keys_of_document, keys_of_file
from messenger_shared.contract.tokens import (
    LEEWAY_S,
    InvalidToken,
    Key,
    Rules,
    Verifier,
    hs256,
    mint,
    parse_user_id,
)
from messenger_shared.settings.environment import SettingsError
from tests.security.hostile_tokens import DAY_S, hostile, signed, unsigned

SECRET = b"s" * 64
OTHER = b"t" * 64
RSA = rsa.generate_private_key(65_537, 2_048)
PRIVATE: dict[str, Any] = {
    "RS256": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


token = partial(signed, SECRET)


def verifier(*keys: Key, **rules: Any) -> Verifier:
    return Verifier(lambda: keys or (hs256(SECRET),), Rules(**{"max_lifetime_s": DAY_S, **rules}))


def pem(*algorithms: str) -> bytes:
    publics = [PRIVATE[algorithm].public_key() for algorithm in algorithms]
    return b"".join(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in publics)


def jwks(rows: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"keys": rows}).encode()


def jwk(algorithm: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "RS256": jwt.algorithms.RSAAlgorithm,
        "ES256": jwt.algorithms.ECAlgorithm,
        "EdDSA": jwt.algorithms.OKPAlgorithm,
    }
    return json.loads(made[algorithm].to_jwk(PRIVATE[algorithm].public_key())) | more


def test_a_minted_token_proves_its_user_until_its_end() -> None:
    identity = verifier().verify(mint(7, SECRET, 60))
    assert identity.user_id == 7
    assert 58 < identity.expires_at - time.time() <= 61
    assert abs(identity.issued_at - time.time()) < 5


BAD = hostile(SECRET)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_anything_else_is_refused(bad: str) -> None:
    with pytest.raises(InvalidToken):
        verifier().verify(bad)


@pytest.mark.parametrize(
    "headers",
    [{"kid": "../../dev/null"}, {"kid": "' OR 1=1"}, {"jku": "http://evil.example/"}, {"x5u": "http://e/"}],
)
def test_what_a_token_says_of_keys_leads_nowhere(headers: dict[str, str]) -> None:
    assert verifier().verify(token(headers=headers)).user_id == 7


def test_a_clock_that_is_a_little_ahead_is_forgiven_and_a_second_after_the_end_is_not() -> None:
    soon = time.time() + LEEWAY_S - 5
    assert verifier().verify(token(iat=soon, nbf=soon)).user_id == 7
    with pytest.raises(InvalidToken):
        verifier().verify(token(exp=time.time() - 1))


def test_a_flipped_bit_anywhere_is_refused() -> None:
    good = mint(7, SECRET, 60)
    for index in range(0, len(good) - 1, 3):
        if good[index] == ".":
            continue
        # "B" for "A" changes a significant bit; the last character of a part may hold unused bits.
        changed = good[:index] + ("A" if good[index] != "A" else "B") + good[index + 1 :]
        if good[index + 1 : index + 2] == ".":
            continue
        with pytest.raises(InvalidToken):
            verifier().verify(changed)


def test_issuer_and_audience_count_when_they_are_configured() -> None:
    named = verifier(issuer="app", audience="messenger")
    assert named.verify(token(iss="app", aud=["web", "messenger"])).user_id == 7
    for claims in ({}, {"iss": "app"}, {"iss": "other", "aud": "messenger"}, {"iss": "app", "aud": "web"}):
        with pytest.raises(InvalidToken):
            named.verify(token(**claims))


def test_while_secrets_change_tokens_of_both_are_good_and_of_none_else() -> None:
    both = verifier(hs256(SECRET), hs256(OTHER))
    assert {both.verify(signed(key, headers={"kid": "x"})).user_id for key in (SECRET, OTHER)} == {7}
    with pytest.raises(InvalidToken):
        both.verify(signed(b"u" * 64))


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_public_key_checks_what_its_private_key_signed(algorithm: str, tmp_path: Any) -> None:
    path = tmp_path / "keys"
    path.write_bytes(pem(*PRIVATE))
    by_file = verifier(*keys_of_file(str(path), "KEYS").current())
    assert by_file.verify(signed(PRIVATE[algorithm], algorithm)).user_id == 7
    document = jwks([jwk(name, kid=name) for name in PRIVATE])
    by_kid = verifier(*keys_of_document(document))
    assert by_kid.verify(signed(PRIVATE[algorithm], algorithm, {"kid": algorithm})).user_id == 7
    with pytest.raises(InvalidToken):
        by_kid.verify(signed(PRIVATE[algorithm], algorithm, {"kid": "another"}))


def test_a_public_key_is_no_secret(tmp_path: Any) -> None:
    """The classic attack: a public key, used as the secret of an HMAC."""
    path = tmp_path / "keys"
    path.write_bytes(pem("RS256"))
    checks = verifier(*keys_of_file(str(path), "KEYS").current())
    claims = {"sub": "7", "exp": int(time.time()) + 60}
    header = {"alg": "HS256", "typ": "JWT"}
    bare = unsigned(header, claims)[:-1]
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        bare.encode(), pem("RS256")
    )
    forged = f"{bare}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    with pytest.raises(InvalidToken):
        checks.verify(forged)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"keys": []}',
        b'{"keys": {}}',
        b'{"keys": [1]}',
        jwks([{"kty": "oct", "k": "c2VjcmV0"}]),
        jwks([{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]),
        jwks([jwk("RS256", kid="a"), jwk("ES256", kid="a")]),
        jwks([jwk("RS256"), jwk("ES256")]),
        jwks([jwk("RS256", alg="PS256")]),
        jwks([jwk("RS256", use="enc")]),
        jwks([{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}]),
        jwks([jwk("RS256", kid=7)]),
        jwks([jwk("RS256", kid=str(number)) for number in range(21)]),
    ],
)
def test_a_document_of_keys_that_could_mean_two_things_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        keys_of_document(document)


def test_a_file_without_keys_stops_the_service_with_the_variables_name(tmp_path: Any) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for name in ("empty", "missing"):
        with pytest.raises(SettingsError, match="KEYS"):
            keys_of_file(str(tmp_path / name), "KEYS")


@pytest.mark.parametrize(
    ("text", "user_id"),
    [
        ("1", 1),
        (str(2**53 - 1), 2**53 - 1),
        *((bad, None) for bad in ("0", "-1", "01", "+1", " 1", "1\n", "1.0", "", "\u0661", 1, None, True)),
        *((str(large), None) for large in (2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**16, 10**400)),
    ],
)
def test_a_user_id_is_one_that_javascript_holds(text: object, user_id: int | None) -> None:
    assert parse_user_id(text) == user_id
