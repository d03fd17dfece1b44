"""A token that comes again is accepted without its signature, but never longer than a new one."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, patch

import pytest

from messenger_shared.contract import tokens
from messenger_shared.contract.tokens import Identity, InvalidToken, Rules, Verifier, hs256, mint

SECRET, OTHER = b"s" * 64, b"t" * 64
LIFE_S = 60


class Host:
    """A verifier whose keys and revocations may change, and which counts the signatures that it checks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys = [hs256(SECRET)]
        self.revoked: set[int] = set()
        self.checked = Mock(side_effect=tokens.jwt.decode)
        monkeypatch.setattr(tokens.jwt, "decode", self.checked)
        self._verifier = Verifier(lambda: self.keys, Rules(), lambda one: one.user_id in self.revoked)

    def verify(self, token: str) -> Identity:
        return self._verifier.verify(token)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_a_signature_is_checked_once(host: Host) -> None:
    token = mint(1, SECRET, LIFE_S)
    assert host.verify(token) == host.verify(token)
    assert host.checked.call_count == 1


def test_a_known_token_ends_with_its_life(host: Host) -> None:
    token = mint(1, SECRET, LIFE_S)
    ends_at = host.verify(token).expires_at
    with patch.object(tokens.time, "time", lambda: ends_at), pytest.raises(InvalidToken):
        host.verify(token)


def test_a_known_token_is_revoked(host: Host) -> None:
    token = mint(1, SECRET, LIFE_S)
    host.verify(token)
    host.revoked.add(1)
    with pytest.raises(InvalidToken):
        host.verify(token)


def test_a_known_token_goes_with_its_key(host: Host) -> None:
    token = mint(1, SECRET, LIFE_S)
    host.verify(token)
    host.keys = [hs256(OTHER)]
    with pytest.raises(InvalidToken):
        host.verify(token)


def test_a_refused_token_is_checked_again(host: Host) -> None:
    for _ in range(2):
        with pytest.raises(InvalidToken):
            host.verify(mint(1, OTHER, LIFE_S))
    assert host.checked.call_count == 2


def test_the_oldest_is_forgotten_when_there_are_too_many(host: Host, monkeypatch: Any) -> None:
    monkeypatch.setattr(tokens, "MAX_KEPT", 2)
    first, *others = [mint(user_id, SECRET, LIFE_S) for user_id in (1, 2, 3)]
    for token in (first, *others, *others):
        host.verify(token)
    assert host.checked.call_count == 3
    host.verify(first)
    assert host.checked.call_count == 4
