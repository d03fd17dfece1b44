"""Declares the gateway's settings of files: where their bytes are, and what may be uploaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.media.scanner import scanner_of
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import Flag, Items, Secret, Text, Variable, Whole

# Of what an upload to an S3 store consists, but for its end. S3 itself allows 10,000 parts.
PART_BYTES: Final = 16 * 1024**2
PARTS_MAX: Final = 10_000
URL_LIFETIME_MAX_S: Final = 60
_WEB: Final = ("https", "http")

FILES_DIR: Final = Text(
    name="MESSENGER_FILES_DIR",
    meaning=(
        "The folder for uploaded files, which all gateways share. Without this and `MESSENGER_FILES_S3_URL`, "
        "there are no uploads. The embedded stack uses `files` in the data directory."
    ),
)
S3_URL: Final = Text(
    name="MESSENGER_FILES_S3_URL",
    meaning="The endpoint of an S3-compatible store for uploaded files, instead of a folder: `https://s3.example.org`.",
)
S3_PUBLIC_URL: Final = Text(
    name="MESSENGER_FILES_S3_PUBLIC_URL",
    meaning="The store's endpoint as clients reach it, if that differs from `MESSENGER_FILES_S3_URL`.",
)
S3_BUCKET: Final = Text(
    name="MESSENGER_FILES_S3_BUCKET",
    meaning="The bucket in the S3 store. It must exist, and has nothing but files of the messenger.",
)
S3_REGION: Final = Text(
    name="MESSENGER_FILES_S3_REGION",
    default="us-east-1",
    meaning="The region of the S3 store, for signatures.",
)
S3_ACCESS_KEY: Final = Secret(
    name="MESSENGER_FILES_S3_ACCESS_KEY", minimum_bytes=1, meaning="The id of the key for the S3 store."
)
S3_SECRET_KEY: Final = Secret(
    name="MESSENGER_FILES_S3_SECRET_KEY", minimum_bytes=1, meaning="The secret of the key for the S3 store."
)
S3_URL_LIFETIME: Final = Whole(
    name="MESSENGER_FILES_S3_URL_LIFETIME_S",
    default=URL_LIFETIME_MAX_S,
    minimum=1,
    meaning="How long the URL of a download from the S3 store is valid, in seconds; at most 60.",
)
FILE_BYTES: Final = Whole(
    name="MESSENGER_FILE_BYTES",
    default=100 * 1024**2,
    minimum=1,
    meaning="How many bytes a file may have.",
)
FILE_TYPES: Final = Items(
    name="MESSENGER_FILE_TYPES",
    meaning="Media types of files that may be uploaded, such as `image/*,application/pdf`. Empty: all.",
)
KEEP_METADATA: Final = Flag(
    name="MESSENGER_KEEP_METADATA",
    default=False,
    meaning="1 leaves originals of pictures as they were uploaded, with the place where they were taken.",
)
SCANNER: Final = Text(
    name="MESSENGER_SCANNER",
    meaning=(
        "Who scans files for viruses: `clamd://host:3310`, `clamd+unix:///path/of/socket`, or an `http://` "
        'or `https://` URL that gets the bytes by POST and answers `{"clean": true}` or `{"clean": false}`. '
        "Empty: nobody."
    ),
)
SCAN_REQUIRED: Final = Flag(
    name="MESSENGER_SCAN_REQUIRED",
    default=True,
    meaning=(
        "Whether files wait while the scanner is unavailable; they are rejected after 2.5 hours. 0 serves "
        "them without a verdict."
    ),
)
FILE_VARIABLES: Final[tuple[Variable, ...]] = (
    FILES_DIR,
    S3_URL,
    S3_PUBLIC_URL,
    S3_BUCKET,
    S3_REGION,
    S3_ACCESS_KEY,
    S3_SECRET_KEY,
    S3_URL_LIFETIME,
    FILE_BYTES,
    FILE_TYPES,
    KEEP_METADATA,
    SCANNER,
    SCAN_REQUIRED,
)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """A bucket in an S3 store, and the key for it. `public_url` is the endpoint as clients reach it."""

    url: str
    public_url: str
    bucket: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    # How long the URL of a download is valid.
    url_lifetime_s: int = URL_LIFETIME_MAX_S

    @property
    def public_origin(self) -> str:
        """The origin of all URLs that clients get."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Where the bytes of files are (in one of folder and store), and what may be uploaded."""

    folder: Path | None = None
    s3: S3Settings | None = None
    max_bytes: int = FILE_BYTES.default
    # Patterns, such as `image/*`; all types if there are none.
    accepted: tuple[str, ...] = ()
    keeps_metadata: bool = KEEP_METADATA.default
    # What `scanner_of` takes; empty without a scanner.
    scanner: str = ""
    scan_required: bool = SCAN_REQUIRED.default

    @classmethod
    def read(cls, env: Environment) -> FileSettings | None:
        """The settings in the environment, None if there are no uploads; raises SettingsError."""
        folder, max_bytes, s3 = FILES_DIR.of(env), FILE_BYTES.of(env), _s3(env)
        accepted = tuple(pattern.lower() for pattern in FILE_TYPES.of(env))
        if folder and s3:
            raise SettingsError(f"{FILES_DIR.name} and {S3_URL.name}: set only one of them")
        if s3 and max_bytes > PART_BYTES * PARTS_MAX:
            raise SettingsError(f"{FILE_BYTES.name} is more than S3 allows: {PART_BYTES * PARTS_MAX}")
        keeps_metadata, scanner, is_required = KEEP_METADATA.of(env), SCANNER.of(env), SCAN_REQUIRED.of(env)
        # A wrong one is told now, and not by the first file.
        scanner_of(scanner)
        if not folder and not s3:
            return None
        return cls(
            folder=Path(folder) if folder else None,
            s3=s3,
            max_bytes=max_bytes,
            accepted=accepted,
            keeps_metadata=keeps_metadata,
            scanner=scanner,
            scan_required=is_required,
        )


def _s3(env: Environment) -> S3Settings | None:
    lifetime_s = S3_URL_LIFETIME.of(env)
    if lifetime_s > URL_LIFETIME_MAX_S:
        raise SettingsError(f"{S3_URL_LIFETIME.name} is more than {URL_LIFETIME_MAX_S}")
    if not S3_URL.of(env):
        return None
    if not S3_BUCKET.of(env):
        raise SettingsError(f"{S3_BUCKET.name} is not set, but {S3_URL.name} is")
    url = env.url(S3_URL.name, _WEB)
    return S3Settings(
        url=url,
        public_url=env.url(S3_PUBLIC_URL.name, _WEB) if S3_PUBLIC_URL.of(env) else url,
        bucket=S3_BUCKET.of(env),
        region=S3_REGION.of(env),
        access_key=_text(S3_ACCESS_KEY, env),
        secret_key=_text(S3_SECRET_KEY, env),
        url_lifetime_s=lifetime_s,
    )


def _text(secret: Secret, env: Environment) -> str:
    try:
        return secret.of(env).decode()
    except UnicodeDecodeError:
        raise SettingsError(f"{secret.name} is not UTF-8") from None
