"""Declares the gateway's settings and reads them from the environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from gateway.auth.signing_keys import FetchedKeys, SigningKeys, keys_of_file, keys_of_secrets
from gateway.file_settings import FILE_VARIABLES, FileSettings
from messenger_shared.contract.tokens import SECRET_BYTES_MIN, Rules
from messenger_shared.settings.common import PRESENCE_GRACE, PRESENCE_GRACE_MS, PROCESS, REDIS_URL, USER_IDS
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import Flag, Items, Secret, Text, Variable, WebAddress, Whole, main

# A year and a day: long enough for an application that hardly ever renews tokens, and lost ones still end.
MAX_LIFETIME_S: Final = 366 * 86_400


@dataclass(frozen=True)
class Limits:
    """What one client may do; 0 means no limit. The `connected` frame tells the client."""

    # Large enough for `content_chars` however a client's JSON escapes it: an emoji may take twelve bytes.
    frame_bytes: int = 131_072
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
    meaning=(
        "The secret that signs users' tokens, by HS256. Exactly one of this, `MESSENGER_JWT_KEYS_FILE` and "
        "`MESSENGER_JWT_JWKS_URL` is required."
    ),
)
JWT_PREVIOUS_SECRET: Final = Secret(
    name="MESSENGER_JWT_PREVIOUS_SECRET",
    minimum_bytes=SECRET_BYTES_MIN,
    meaning="The previous secret. Tokens that it signed stay valid while you change the secret.",
)
JWT_KEYS_FILE: Final = Text(
    name="MESSENGER_JWT_KEYS_FILE",
    meaning="A file with the public keys that verify tokens: PEM, or a JWKS document.",
)
JWT_JWKS_URL: Final = Text(
    name="MESSENGER_JWT_JWKS_URL",
    meaning="The URL of a JWKS document with such keys. It is fetched at the start and every 5 minutes.",
)
JWT_ISSUER: Final = Text(name="MESSENGER_JWT_ISSUER", meaning="The `iss` that tokens must have. Empty: any.")
JWT_AUDIENCE: Final = Text(
    name="MESSENGER_JWT_AUDIENCE",
    meaning="The `aud` that tokens must have. Empty: tokens with an `aud` are refused.",
)
JWT_MAX_LIFETIME: Final = Whole(
    name="MESSENGER_JWT_MAX_LIFETIME_S",
    default=MAX_LIFETIME_S,
    meaning="A token that is valid for longer than this, in seconds from now, is refused; 0 is no limit.",
)
ALLOWED_ORIGINS: Final = Items(
    name="MESSENGER_ALLOWED_ORIGINS",
    meaning="Origins of web pages that may connect, as browsers send them: `https://chat.example.org`.",
)
LOGIN_URL: Final = WebAddress(
    name="MESSENGER_LOGIN_URL",
    meaning=(
        "Where the web client sends a user without a token. Empty if a page of yours embeds the client and "
        "gives it the token."
    ),
)
MESSAGES_PER_S: Final = Whole(
    name="MESSENGER_MESSAGES_PER_S",
    default=Limits.messages_per_s,
    meaning="Messages per second of one user; twice as many in a burst; 0 is no limit.",
)
FRAMES_PER_S: Final = Whole(
    name="MESSENGER_FRAMES_PER_S",
    default=Limits.frames_per_s,
    meaning="Frames per second of one socket; twice as many in a burst; 0 is no limit.",
)
MAX_SOCKETS: Final = Whole(
    name="MESSENGER_MAX_SOCKETS",
    default=Limits.max_sockets,
    meaning="How many sockets one user may have, over all gateways; 0 is no limit.",
)
HEARTBEAT: Final = Whole(
    name="MESSENGER_HEARTBEAT_MS",
    default=25_000,
    minimum=100,
    meaning="Time between pings to a socket, in ms. A proxy's idle timeout must be longer than twice that.",
)
ADMIT_AT_ONCE: Final = Whole(
    name="MESSENGER_ADMIT_AT_ONCE",
    default=100,
    minimum=1,
    meaning="How many sockets may be opening at once on each worker process.",
)
ADMIT_WAITING: Final = Whole(
    name="MESSENGER_ADMIT_WAITING",
    default=5_000,
    meaning="How many more sockets may wait to be opened, per worker process. The others get 503 and retry.",
)
DRAIN: Final = Whole(
    name="MESSENGER_DRAIN_S",
    default=15,
    meaning="Over how many seconds a gateway that shuts down moves its sockets to other gateways.",
)
ADMIN_API: Final = Flag(
    name="MESSENGER_ADMIN_API",
    default=False,
    meaning="Whether the admin routes are available over HTTP, to tokens with the scope `messenger:admin`.",
)
SERVER_API: Final = Flag(
    name="MESSENGER_SERVER_API",
    default=True,
    meaning="Whether host applications may use the routes below `/server`, with server keys.",
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
    SERVER_API,
    *FILE_VARIABLES,
    USER_IDS,
    *PROCESS,
)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The gateway's settings. It knows only Redis: no database, and no address of another service."""

    redis_urls: tuple[str, ...]
    jwt_keys: SigningKeys
    jwt_rules: Rules
    allowed_origins: frozenset[str]
    limits: Limits
    heartbeat_ms: int
    # How many sockets may be opening at once, and how many more may wait.
    admit_at_once: int
    admit_waiting: int
    # Over how many seconds sockets move elsewhere before this worker ends.
    drain_s: int
    # Whether there are HTTP routes for operators.
    admin_api: bool
    # Whether there are HTTP routes for host applications, and the secret that signs the tokens they ask for.
    server_api: bool = True
    signing_secret: bytes | None = None
    # Where the web client sends a user without a token; None where a host page gives it the token.
    login_page: str | None = None
    # None where there are no uploads.
    files: FileSettings | None = None

    @classmethod
    def read(cls, env: Environment) -> GatewaySettings:
        """The settings in the environment; raises SettingsError."""
        return cls(
            redis_urls=REDIS_URL.of(env),
            jwt_keys=_jwt_keys(env),
            jwt_rules=Rules(
                issuer=JWT_ISSUER.of(env) or None,
                audience=JWT_AUDIENCE.of(env) or None,
                max_lifetime_s=JWT_MAX_LIFETIME.of(env),
                external_ids=USER_IDS.of(env) == "external",
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
            server_api=SERVER_API.of(env),
            signing_secret=JWT_SECRET.of(env) if JWT_SECRET.is_set(env) else None,
            login_page=LOGIN_URL.of(env),
            files=FileSettings.read(env),
        )


def _jwt_keys(env: Environment) -> SigningKeys:
    """The keys of the one source that is set; the secret and the previous one are one source."""
    sources = [source for source in (JWT_KEYS_FILE, JWT_JWKS_URL, JWT_SECRET) if source.is_set(env)]
    if len(sources) > 1:
        names = " and ".join(source.name for source in sources)
        raise SettingsError(f"{names}: set only one of them")
    if sources == [JWT_KEYS_FILE]:
        return keys_of_file(JWT_KEYS_FILE.of(env), JWT_KEYS_FILE.name)
    if sources == [JWT_JWKS_URL]:
        return FetchedKeys(env.url(JWT_JWKS_URL.name, ("https", "http")))
    secrets = [JWT_SECRET, *([JWT_PREVIOUS_SECRET] if JWT_PREVIOUS_SECRET.is_set(env) else [])]
    return keys_of_secrets([secret.of(env) for secret in secrets])


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
