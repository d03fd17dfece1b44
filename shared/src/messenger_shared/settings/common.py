"""Declares the settings that several services share, and those of every service process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from messenger_shared.settings.environment import Environment
from messenger_shared.settings.variables import Choice, Database, Text, Urls, Variable, WebAddress, Whole

PRESENCE_GRACE_MS: Final = 10_000

REDIS_URL: Final = Urls(
    name="MESSENGER_REDIS_URL",
    schemes=("redis", "rediss"),
    meaning="The Redis servers of the bus: the same list in the same order for all services. Use "
    "`rediss://` for TLS, and `?ssl_ca_certs=FILE` to trust more certificate authorities than the system's.",
)
DATABASE_URL: Final = Database(
    name="MESSENGER_DATABASE_URL",
    meaning="The PostgreSQL database, as a libpq connection string with the service's own login. Use "
    "`?sslmode=verify-full&sslrootcert=FILE` for TLS. Of several hosts (`one,two:5433`) the one that takes "
    "writes is used. Migrations need the login of the tables' owner instead.",
)
POOL_SIZE: Final = Whole(
    name="MESSENGER_POOL_SIZE",
    default=4,
    minimum=1,
    meaning="How many connections to PostgreSQL each worker process has.",
)
PRESENCE_GRACE: Final = Whole(
    name="MESSENGER_PRESENCE_GRACE_MS",
    default=PRESENCE_GRACE_MS,
    meaning="How long a user is still shown as before after their last socket closes. Set it alike for both "
    "services: presence applies it, and the gateway tells it to clients.",
)

USER_IDS: Final = Choice(
    name="MESSENGER_USER_IDS",
    choices=("numeric", "external"),
    meaning="What a token's `sub` is: `numeric`, the user's id, or `external`, the host's own string. Set it "
    "alike for chat-api and the gateway.",
)

BIND: Final = Text(
    name="MESSENGER_BIND", default="0.0.0.0:8080", meaning="The address and port that the service listens on."
)
WORKERS: Final = Whole(
    name="MESSENGER_WORKERS",
    default=1,
    minimum=1,
    meaning="How many worker processes the service has: about one per core.",
)
GRACEFUL: Final = Whole(
    name="MESSENGER_GRACEFUL_S",
    default=30,
    minimum=1,
    meaning="How long a process may take to shut down, in seconds. It must be longer than "
    "`MESSENGER_DRAIN_S` and shorter than the orchestrator waits before it kills the process.",
)

OTLP_ENDPOINT: Final = WebAddress(
    name="OTEL_EXPORTER_OTLP_ENDPOINT",
    meaning="The collector for traces, by OTLP over HTTP (`http://collector:4318`). Without it no traces are "
    "made. It needs the extra `otel`. OpenTelemetry's other variables apply too.",
)

# The settings of every process, whichever service it runs.
PROCESS: Final[tuple[Variable, ...]] = (BIND, WORKERS, GRACEFUL, OTLP_ENDPOINT)
STORE: Final[tuple[Variable, ...]] = (REDIS_URL, DATABASE_URL, POOL_SIZE)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The settings of a service that stores data: Redis for the bus, PostgreSQL for the data."""

    redis_urls: tuple[str, ...]
    database_url: str
    pool_size: int

    @classmethod
    def read(cls, env: Environment) -> StoreSettings:
        """Reads the three settings; raises SettingsError."""
        return cls(
            redis_urls=REDIS_URL.of(env), database_url=DATABASE_URL.of(env), pool_size=POOL_SIZE.of(env)
        )
