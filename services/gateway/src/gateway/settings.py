"""Owns the gateway's settings."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_shared.settings import PRESENCE_GRACE_MS, Environment
from messenger_shared.tokens import SECRET_BYTES_MIN


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
    jwt_secret: bytes
    allowed_origins: frozenset[str]
    limits: Limits
    heartbeat_ms: int

    @classmethod
    def read(cls, env: Environment) -> GatewaySettings:
        """Raises SettingsError."""
        return cls(
            redis_urls=env.redis_urls(),
            jwt_secret=env.secret("MESSENGER_JWT_SECRET", SECRET_BYTES_MIN),
            allowed_origins=frozenset(env.items("MESSENGER_ALLOWED_ORIGINS", "")),
            limits=Limits(
                messages_per_s=env.integer("MESSENGER_MESSAGES_PER_S", Limits.messages_per_s),
                frames_per_s=env.integer("MESSENGER_FRAMES_PER_S", Limits.frames_per_s),
                max_sockets=env.integer("MESSENGER_MAX_SOCKETS", Limits.max_sockets),
                presence_grace_ms=env.presence_grace_ms(),
            ),
            heartbeat_ms=env.integer("MESSENGER_HEARTBEAT_MS", 25_000, minimum=100),
        )
