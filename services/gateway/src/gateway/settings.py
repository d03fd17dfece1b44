"""Owns the gateway's settings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from gateway.signing_keys import FetchedKeys, SigningKeys, keys_of_file, keys_of_secrets
from messenger_shared.common_settings import PRESENCE_GRACE, PRESENCE_GRACE_MS, PROCESS, REDIS_URL
from messenger_shared.settings import Environment, SettingsError
from messenger_shared.tokens import SECRET_BYTES_MIN, Rules
from messenger_shared.variables import Flag, Items, Secret, Text, Variable, WebAddress, Whole, main

# A year and a day: enough for whoever never wants to think of it, and an end for what got lost.
MAX_LIFETIME_S: Final = 366 * 86_400


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


JWT_SECRET: Final = Secret(
    name="MESSENGER_JWT_SECRET",
    minimum_bytes=SECRET_BYTES_MIN,
    meaning="Signs users' tokens, HS256. This, a file of keys or a JWKS URL: one of the three is required.",
)
JWT_PREVIOUS_SECRET: Final = Secret(
    name="MESSENGER_JWT_PREVIOUS_SECRET",
    minimum_bytes=SECRET_BYTES_MIN,
    meaning="The secret before this one, whose tokens still count while it changes.",
)
JWT_KEYS_FILE: Final = Text(
    name="MESSENGER_JWT_KEYS_FILE",
    meaning="A file with the public keys that tokens are signed with, as a JWK set.",
)
JWT_JWKS_URL: Final = Text(
    name="MESSENGER_JWT_JWKS_URL", meaning="Where those public keys are fetched from, again and again."
)
JWT_ISSUER: Final = Text(
    name="MESSENGER_JWT_ISSUER", meaning="The `iss` that tokens must have; any if it is empty."
)
JWT_AUDIENCE: Final = Text(
    name="MESSENGER_JWT_AUDIENCE", meaning="The `aud` that tokens must have; any if it is empty."
)
JWT_MAX_LIFETIME: Final = Whole(
    name="MESSENGER_JWT_MAX_LIFETIME_S",
    default=MAX_LIFETIME_S,
    meaning="A token that lives longer, in seconds, is refused.",
)
ALLOWED_ORIGINS: Final = Items(
    name="MESSENGER_ALLOWED_ORIGINS",
    meaning="The web pages that may connect, exactly as their browsers say it: `https://chat.example.org`.",
)
LOGIN_URL: Final = WebAddress(
    name="MESSENGER_LOGIN_URL",
    meaning="Where the web client sends a user without a token; empty where a page of yours hands it over.",
)
MESSAGES_PER_S: Final = Whole(
    name="MESSENGER_MESSAGES_PER_S",
    default=Limits.messages_per_s,
    meaning="Messages a second of one user, twice that in a burst; 0 is no limit.",
)
FRAMES_PER_S: Final = Whole(
    name="MESSENGER_FRAMES_PER_S",
    default=Limits.frames_per_s,
    meaning="Frames a second of one socket, twice that in a burst; 0 is no limit.",
)
MAX_SOCKETS: Final = Whole(
    name="MESSENGER_MAX_SOCKETS",
    default=Limits.max_sockets,
    meaning="Sockets of one user, over all gateways; 0 is no limit.",
)
HEARTBEAT: Final = Whole(
    name="MESSENGER_HEARTBEAT_MS",
    default=25_000,
    minimum=100,
    meaning="How often a socket is pinged. A proxy's idle timeout has to be longer than twice that.",
)
ADMIT_AT_ONCE: Final = Whole(
    name="MESSENGER_ADMIT_AT_ONCE",
    default=100,
    minimum=1,
    meaning="How many new sockets each worker process lets in at a time.",
)
ADMIT_WAITING: Final = Whole(
    name="MESSENGER_ADMIT_WAITING",
    default=5_000,
    meaning="How many more may wait for that; the others get 503 and come back.",
)
DRAIN: Final = Whole(
    name="MESSENGER_DRAIN_S",
    default=15,
    meaning="Over how many seconds a gateway that is told to end sends its sockets elsewhere.",
)
ADMIN_API: Final = Flag(
    name="MESSENGER_ADMIN_API",
    default=False,
    meaning="Whether operators may reach the gateway over HTTP, by tokens with the scope `messenger:admin`.",
)
VARIABLES: Final[tuple[Variable, ...]] = (
    REDIS_URL,
    JWT_SECRET,
    JWT_PREVIOUS_SECRET,
    JWT_KEYS_FILE,
    JWT_JWKS_URL,
    JWT_ISSUER,
    JWT_AUDIENCE,
    JWT_MAX_LIFETIME,
    ALLOWED_ORIGINS,
    LOGIN_URL,
    MESSAGES_PER_S,
    FRAMES_PER_S,
    MAX_SOCKETS,
    PRESENCE_GRACE,
    HEARTBEAT,
    ADMIT_AT_ONCE,
    ADMIT_WAITING,
    DRAIN,
    ADMIN_API,
    *PROCESS,
)


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
            redis_urls=REDIS_URL.of(env),
            jwt_keys=_jwt_keys(env),
            jwt_rules=Rules(
                issuer=JWT_ISSUER.of(env) or None,
                audience=JWT_AUDIENCE.of(env) or None,
                max_lifetime_s=JWT_MAX_LIFETIME.of(env),
            ),
            allowed_origins=frozenset(ALLOWED_ORIGINS.of(env)),
            limits=Limits(
                messages_per_s=MESSAGES_PER_S.of(env),
                frames_per_s=FRAMES_PER_S.of(env),
                max_sockets=MAX_SOCKETS.of(env),
                presence_grace_ms=PRESENCE_GRACE.of(env),
            ),
            heartbeat_ms=HEARTBEAT.of(env),
            admit_at_once=ADMIT_AT_ONCE.of(env),
            admit_waiting=ADMIT_WAITING.of(env),
            drain_s=DRAIN.of(env),
            admin_api=ADMIN_API.of(env),
            login_page=LOGIN_URL.of(env),
        )


def _jwt_keys(env: Environment) -> SigningKeys:
    """From the one place that is named; a secret and its predecessor count as one."""
    sources = [source for source in (JWT_KEYS_FILE, JWT_JWKS_URL, JWT_SECRET) if source.is_set(env)]
    if len(sources) > 1:
        names = " and ".join(source.name for source in sources)
        raise SettingsError(f"{names}: only one of them can tell who signs tokens")
    if sources == [JWT_KEYS_FILE]:
        return keys_of_file(JWT_KEYS_FILE.of(env), JWT_KEYS_FILE.name)
    if sources == [JWT_JWKS_URL]:
        return FetchedKeys(env.url(JWT_JWKS_URL.name, ("https", "http")))
    secrets = [JWT_SECRET, *([JWT_PREVIOUS_SECRET] if JWT_PREVIOUS_SECRET.is_set(env) else [])]
    return keys_of_secrets([secret.of(env) for secret in secrets])


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
