"""Owns the gateway's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.signing_keys import FetchedKeys, SigningKeys, keys_of_file, keys_of_secrets
from messenger_shared.settings import PRESENCE_GRACE_MS, Environment, SettingsError
from messenger_shared.tokens import SECRET_BYTES_MIN, Rules

# A year and a day: enough for whoever never wants to think of it, and an end for what got lost.
MAX_LIFETIME_S: Final = 366 * 86_400
_KEYS_FILE: Final = "MESSENGER_JWT_KEYS_FILE"
_JWKS_URL: Final = "MESSENGER_JWT_JWKS_URL"
_SECRET: Final = "MESSENGER_JWT_SECRET"
_PREVIOUS_SECRET: Final = "MESSENGER_JWT_PREVIOUS_SECRET"


@dataclass(frozen=True)
class Limits:
    """What one client may do; 0 means no limit. `connected` tells it to the client."""

    frame_bytes: int = 65_536
    content_chars: int = 10_000
    messages_per_s: int = 30
    frames_per_s: int = 100
    max_sockets: int = 50
    typing_ttl_ms: int = 6_000
    resume_max_events: int = 500
    presence_grace_ms: int = PRESENCE_GRACE_MS


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The gateway knows Redis and nothing else: no database, no address of another service."""

    redis_urls: tuple[str, ...]
    jwt_keys: SigningKeys
    jwt_rules: Rules
    allowed_origins: frozenset[str]
    limits: Limits
    heartbeat_ms: int
    # How many sockets are let in at a time, and how many more may wait for that.
    admit_at_once: int
    admit_waiting: int
    # How long sockets may take to go elsewhere when this worker is to end.
    drain_s: int
    # Whether operators may reach the gateway over HTTP.
    admin_api: bool
    # Where the web client sends who has no token; None where a host page hands it over.
    login_page: str | None = None

    @classmethod
    def read(cls, env: Environment) -> GatewaySettings:
        """Raises SettingsError."""
        return cls(
            redis_urls=env.redis_urls(),
            jwt_keys=_jwt_keys(env),
            jwt_rules=Rules(
                issuer=env.text("MESSENGER_JWT_ISSUER", "") or None,
                audience=env.text("MESSENGER_JWT_AUDIENCE", "") or None,
                max_lifetime_s=env.integer("MESSENGER_JWT_MAX_LIFETIME_S", MAX_LIFETIME_S),
            ),
            allowed_origins=frozenset(env.items("MESSENGER_ALLOWED_ORIGINS", "")),
            limits=Limits(
                messages_per_s=env.integer("MESSENGER_MESSAGES_PER_S", Limits.messages_per_s),
                frames_per_s=env.integer("MESSENGER_FRAMES_PER_S", Limits.frames_per_s),
                max_sockets=env.integer("MESSENGER_MAX_SOCKETS", Limits.max_sockets),
                presence_grace_ms=env.presence_grace_ms(),
            ),
            heartbeat_ms=env.integer("MESSENGER_HEARTBEAT_MS", 25_000, minimum=100),
            admit_at_once=env.integer("MESSENGER_ADMIT_AT_ONCE", 100, minimum=1),
            admit_waiting=env.integer("MESSENGER_ADMIT_WAITING", 5_000),
            drain_s=env.integer("MESSENGER_DRAIN_S", 15),
            admin_api=env.flag("MESSENGER_ADMIN_API", default=False),
            login_page=env.web_address("MESSENGER_LOGIN_URL"),
        )


def _jwt_keys(env: Environment) -> SigningKeys:
    """From the one place that is named; a secret and its predecessor count as one."""
    given = [name for name in (_KEYS_FILE, _JWKS_URL) if env.text(name, "")]
    if env.has_secret(_SECRET):
        given.append(_SECRET)
    if len(given) > 1:
        raise SettingsError(f"{' and '.join(given)}: only one of them can tell who signs tokens")
    if given == [_KEYS_FILE]:
        return keys_of_file(env.text(_KEYS_FILE), _KEYS_FILE)
    if given == [_JWKS_URL]:
        return FetchedKeys(env.url(_JWKS_URL, ("https", "http")))
    names = [_SECRET, *([_PREVIOUS_SECRET] if env.has_secret(_PREVIOUS_SECRET) else [])]
    return keys_of_secrets([env.secret(name, SECRET_BYTES_MIN) for name in names])
