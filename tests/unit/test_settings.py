"""Settings: a bad variable stops the service with its name, and a secret is never shown."""

from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from messenger_shared.settings.common import StoreSettings
from messenger_shared.settings.environment import Environment, SettingsError

GOOD = {"MESSENGER_REDIS_URL": "redis://a:6379,redis://:p@b:6380", "MESSENGER_JWT_SECRET": "s" * 32}


def test_the_defaults_are_those_of_the_contract() -> None:
    limits = GatewaySettings.read(Environment(GOOD)).limits
    assert (limits.messages_per_s, limits.frames_per_s, limits.max_sockets) == (30, 100, 50)
    assert (limits.frame_bytes, limits.content_chars, limits.resume_max_events) == (131_072, 10_000, 500)


def test_several_redis_addresses_are_a_list() -> None:
    assert len(GatewaySettings.read(Environment(GOOD)).redis_urls) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MESSENGER_REDIS_URL", ""),
        ("MESSENGER_REDIS_URL", "nonsense"),
        ("MESSENGER_REDIS_URL", "=,"),
        ("MESSENGER_REDIS_URL", "redis://:secret@a:port"),
        ("MESSENGER_JWT_SECRET", ""),
        ("MESSENGER_JWT_SECRET", "s" * 31),
        ("MESSENGER_MESSAGES_PER_S", "many"),
        ("MESSENGER_FRAMES_PER_S", "-1"),
        ("MESSENGER_HEARTBEAT_MS", "0"),
        ("MESSENGER_LOGIN_URL", "javascript:alert(1)"),
        ("MESSENGER_SCANNER", "clamd:secret"),
        ("MESSENGER_SCAN_REQUIRED", "2"),
    ],
)
def test_a_bad_variable_is_named_and_its_secrets_are_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        GatewaySettings.read(Environment({**GOOD, name: value}))
    assert name in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("f" * 64 + "\n")
    variables = {"MESSENGER_REDIS_URL": "redis://a", "MESSENGER_JWT_SECRET_FILE": str(path)}
    [key] = GatewaySettings.read(Environment(variables)).jwt_keys.current()
    assert key.jwk.raw_value == b"f" * 64
    with pytest.raises(SettingsError, match="MESSENGER_JWT_SECRET_FILE"):
        GatewaySettings.read(Environment({**variables, "MESSENGER_JWT_SECRET_FILE": "/nowhere"}))


def test_a_service_with_a_store_needs_its_database() -> None:
    with pytest.raises(SettingsError, match="MESSENGER_DATABASE_URL"):
        StoreSettings.read(Environment(GOOD))
