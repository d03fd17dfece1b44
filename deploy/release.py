"""Writes one version into all parts: `python deploy/release.py 1.2.3`."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SEMANTIC: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_PROJECT: Final = r'(?m)^(version = ")([^"]+)(")$'
_PACKAGE: Final = r'(?m)^(\s+"version": ")([^"]+)(",)$'
# File -> pattern of the version, and how often it occurs.
PLACES: Final = {
    "pyproject.toml": (_PROJECT, 1),
    "shared/pyproject.toml": (_PROJECT, 1),
    "shared/sdk/pyproject.toml": (_PROJECT, 1),
    "services/gateway/pyproject.toml": (_PROJECT, 1),
    "services/chat-api/pyproject.toml": (_PROJECT, 1),
    "services/presence/pyproject.toml": (_PROJECT, 1),
    "deploy/local/pyproject.toml": (_PROJECT, 1),
    "services/gateway/web/package.json": (_PACKAGE, 1),
    # The lock file has our version twice, before the versions of all other packages.
    "services/gateway/web/package-lock.json": (_PACKAGE, 2),
    "deploy/k8s/overlays/production/kustomization.yaml": (r"(?m)^(    newTag: )(\S+)()$", 3),
}
_UNRELEASED: Final = "## [Unreleased]\n"


def found(root: Path) -> Iterator[tuple[str, str]]:
    """Yields (file, version) for each place; raises SystemExit if a version is missing."""
    for name, (pattern, times) in PLACES.items():
        matches = list(re.finditer(pattern, (root / name).read_text()))[:times]
        if len(matches) < times:
            raise SystemExit(f"{name}: no version where one should be")
        yield from ((name, match[2]) for match in matches)


def write(root: Path, version: str, day: datetime.date) -> None:
    """Writes the version into all places and puts a heading for it below Unreleased in the changelog."""
    for name, (pattern, times) in PLACES.items():
        path = root / name
        path.write_text(re.sub(pattern, rf"\g<1>{version}\g<3>", path.read_text(), count=times))
    changelog = root / "CHANGELOG.md"
    heading = f"{_UNRELEASED}\n## [{version}] - {day.isoformat()}\n"
    changelog.write_text(changelog.read_text().replace(_UNRELEASED, heading, 1))


def main() -> None:
    """Writes the version that the command line names."""
    if len(sys.argv) != 2 or not _SEMANTIC.fullmatch(sys.argv[1]):
        raise SystemExit("usage: python deploy/release.py MAJOR.MINOR.PATCH")
    write(Path(__file__).parents[1], sys.argv[1], datetime.datetime.now(datetime.UTC).date())


if __name__ == "__main__":
    main()
