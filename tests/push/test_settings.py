"""The settings of push: what is taken, and what is refused at the start."""

from __future__ import annotations

import pytest

from chat_api.feed.push.settings import PushSettings
from messenger_shared.settings.environment import Environment, SettingsError


def read(**env: str) -> PushSettings:
    return PushSettings.read(Environment({f"MESSENGER_PUSH_{name}": value for name, value in env.items()}))


def test_without_settings_pushes_have_texts_and_name_nobody() -> None:
    assert read() == PushSettings("", "full", stdout=False)


def test_a_contact_is_an_address_that_push_services_can_write_to() -> None:
    for contact in ("mailto:ops@example.com", "https://example.com/contact"):
        assert read(CONTACT=contact).contact == contact
    for nonsense in ("ops@example.com", "mailto:", "mailto:ops", "http://example.com", "https://", "x"):
        with pytest.raises(SettingsError, match="MESSENGER_PUSH_CONTACT"):
            read(CONTACT=nonsense)


def test_texts_are_one_of_three() -> None:
    assert read(TEXT="none", STDOUT="1") == PushSettings("", "none", stdout=True)
    with pytest.raises(SettingsError, match="MESSENGER_PUSH_TEXT"):
        read(TEXT="some")
