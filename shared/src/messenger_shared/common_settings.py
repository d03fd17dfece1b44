"""Owns the settings that several services share, and those of the process that each of them runs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from messenger_shared.settings import Environment
from messenger_shared.variables import Database, Text, Urls, Variable, WebAddress, Whole

PRESENCE_GRACE_MS: Final = 10_000

REDIS_URL: Final = Urls(
    name="MESSENGER_REDIS_URL",
    schemes=("redis", "rediss"),
    meaning="The Redis servers of the bus, the same list in the same order for all services; "
    "`rediss://` is TLS, `?ssl_ca_certs=FILE` trusts authorities that the system doesn't know.",
)
DATABASE_URL: Final = Database(
    name="MESSENGER_DATABASE_URL",
    meaning="PostgreSQL, as libpq takes it, with the service's own login; "
    "`?sslmode=verify-full&sslrootcert=FILE` is TLS. Migrations are given the tables' owner instead.",
)
POOL_SIZE: Final = Whole(
    name="MESSENGER_POOL_SIZE",
    default=4,
    minimum=1,
    meaning="Connections to PostgreSQL of each worker process.",
)
PRESENCE_GRACE: Final = Whole(
    name="MESSENGER_PRESENCE_GRACE_MS",
    default=PRESENCE_GRACE_MS,
    meaning="How long nobody sees that a user's last socket is gone: presence acts so, the gateway tells it.",
)

BIND: Final = Text(
    name="MESSENGER_BIND", default="0.0.0.0:8080", meaning="The address and port that the service listens on."
)
WORKERS: Final = Whole(
    name="MESSENGER_WORKERS",
    default=1,
    minimum=1,
    meaning="Worker processes: about one per core. Each is a worker of its own on the bus.",
)
GRACEFUL: Final = Whole(
    name="MESSENGER_GRACEFUL_S",
    default=30,
    minimum=1,
    meaning="How long a process that is told to end may take: above `MESSENGER_DRAIN_S`, and below what the "
    "orchestrator waits before it kills.",
)

OTLP_ENDPOINT: Final = WebAddress(
    name="OTEL_EXPORTER_OTLP_ENDPOINT",
    meaning="Who collects traces, by OTLP over HTTP (`http://collector:4318`). Without it none are "
    "made; it needs the extra `otel`, and OpenTelemetry's other variables count.",
)

# What every process is told, whichever service it runs.
PROCESS: Final[tuple[Variable, ...]] = (BIND, WORKERS, GRACEFUL, OTLP_ENDPOINT)
STORE: Final[tuple[Variable, ...]] = (REDIS_URL, DATABASE_URL, POOL_SIZE)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What a service that keeps data needs: Redis for the bus, PostgreSQL for the truth."""

    redis_urls: tuple[str, ...]
    database_url: str
    pool_size: int

    @classmethod
    def read(cls, env: Environment) -> StoreSettings:
        """Raises SettingsError."""
        return cls(
            redis_urls=REDIS_URL.of(env), database_url=DATABASE_URL.of(env), pool_size=POOL_SIZE.of(env)
        )
