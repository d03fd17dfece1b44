"""Settings for operators: the documents list what the code reads, and no secret is ever printed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from chat_api.feed.settings import FeedSettings
from chat_api.settings import ChatSettings
from gateway.settings import GatewaySettings
from messenger_local.configuration import SERVICES, table
from messenger_shared.settings.common import PROCESS
from messenger_shared.settings.environment import Environment, SettingsError
from presence.settings import PresenceSettings
from tests.stack import MESSENGER

ROOT = Path(__file__).parents[2]
PASSWORD = "correct-horse-battery-staple-of-32-bytes"
GOOD = {
    "MESSENGER_REDIS_URL": f"redis://chat:{PASSWORD}@a:6379,rediss://:{PASSWORD}@b",
    "MESSENGER_DATABASE_URL": f"postgresql://chat:{PASSWORD}@db:5432/messenger?sslmode=verify-full",
    "MESSENGER_JWT_SECRET": PASSWORD,
}

S3 = {
    "MESSENGER_FILES_S3_URL": "https://s3.example.org",
    "MESSENGER_FILES_S3_PUBLIC_URL": "https://files.example.org",
    "MESSENGER_FILES_S3_BUCKET": "files",
    "MESSENGER_FILES_S3_ACCESS_KEY": "key",
    "MESSENGER_FILES_S3_SECRET_KEY": PASSWORD,
}


BEFORE_SEND = {
    "MESSENGER_BEFORE_SEND_URL": "https://moderation.example.org",
    "MESSENGER_BEFORE_SEND_SECRET": "whsec_" + "A" * 32,
}


class Overheard(Mapping[str, str]):
    """An environment that remembers which names were read."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name.removesuffix("_FILE") if name != "MESSENGER_JWT_KEYS_FILE" else name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **variables}
    command = [*MESSENGER, "config", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("gateway", GatewaySettings),
        ("chat-api", ChatSettings),
        ("presence", PresenceSettings),
        ("feed", FeedSettings),
    ],
)
def test_every_variable_that_a_service_reads_is_declared_and_every_declared_one_is_read(
    service: str, settings: type[GatewaySettings | ChatSettings | PresenceSettings | FeedSettings]
) -> None:
    env = Overheard(GOOD | {"MESSENGER_JWT_PREVIOUS_SECRET": PASSWORD} | S3 | BEFORE_SEND)
    settings.read(Environment(env))
    assert env.asked == {variable.name for variable in SERVICES[service]} - {v.name for v in PROCESS}


def test_the_documented_table_is_the_one_that_the_code_makes() -> None:
    assert (ROOT / "shared/docs/configuration.md").read_text() == table(), "run `make contract`"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"MESSENGER_FILES_DIR": "/files"}, "MESSENGER_FILES_DIR and MESSENGER_FILES_S3_URL: set only one"),
        ({"MESSENGER_FILES_S3_BUCKET": ""}, "MESSENGER_FILES_S3_BUCKET is not set"),
        ({"MESSENGER_FILES_S3_SECRET_KEY": ""}, "MESSENGER_FILES_S3_SECRET_KEY"),
        ({"MESSENGER_FILES_S3_URL": "s3.example.org"}, "MESSENGER_FILES_S3_URL is not a URL"),
        ({"MESSENGER_FILES_S3_URL_LIFETIME_S": "61"}, "MESSENGER_FILES_S3_URL_LIFETIME_S is more than 60"),
        ({"MESSENGER_FILE_BYTES": str(200 * 1024**3)}, "MESSENGER_FILE_BYTES is more than S3 allows"),
    ],
)
def test_an_s3_store_needs_all_of_its_settings_and_excludes_a_folder(
    changes: dict[str, str], text: str
) -> None:
    found = GatewaySettings.read(Environment(GOOD | S3)).files
    assert found is not None
    assert found.folder is None
    assert found.s3 is not None
    assert found.s3.public_origin == "https://files.example.org"
    assert PASSWORD not in repr(found)
    with pytest.raises(SettingsError, match=text):
        GatewaySettings.read(Environment(GOOD | S3 | changes))


def test_what_is_in_force_is_printed_without_any_secret() -> None:
    done = run(**GOOD, MESSENGER_HEARTBEAT_MS="5000")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout
    assert "MESSENGER_REDIS_URL=redis://chat:****@a:6379,rediss://:****@b" in done.stdout
    assert (
        "MESSENGER_DATABASE_URL=postgresql://chat:****@db:5432/messenger?sslmode=verify-full" in done.stdout
    )
    assert "MESSENGER_JWT_SECRET=****" in done.stdout
    assert "MESSENGER_HEARTBEAT_MS=5000\n" in done.stdout
    assert "MESSENGER_DRAIN_S=15  (default)" in done.stdout


def test_what_would_keep_a_service_from_starting_is_named() -> None:
    done = run("presence", **{**GOOD, "MESSENGER_WORKERS": "many"})
    assert done.returncode == 1
    assert "MESSENGER_WORKERS is not a whole number" in done.stdout
    assert done.stderr == "messenger: with these settings, presence would not start\n"
    assert "JWT" not in done.stdout


def test_a_connection_in_pairs_is_hidden_whole() -> None:
    done = run("chat-api", **{**GOOD, "MESSENGER_DATABASE_URL": f"host=db password={PASSWORD}"})
    assert "MESSENGER_DATABASE_URL=****" in done.stdout
    assert PASSWORD not in done.stdout


def test_one_service_alone_tells_of_itself_in_its_image() -> None:
    command = [sys.executable, "-m", "chat_api.settings"]
    done = subprocess.run(command, env=GOOD, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "MESSENGER_POOL_SIZE=4  (default)" in done.stdout
    assert PASSWORD not in done.stdout
