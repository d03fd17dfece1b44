"""Releases: all parts have one version, and one command changes it everywhere."""

import datetime
import re
import runpy
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
RELEASE = runpy.run_path(str(ROOT / "deploy" / "release.py"))


def test_all_parts_have_one_version() -> None:
    assert len({version for _, version in RELEASE["found"](ROOT)}) == 1


def test_no_part_is_forgotten() -> None:
    members = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    projects = {path for member in members for path in ROOT.glob(f"{member}/pyproject.toml")}
    assert {str(path.relative_to(ROOT)) for path in projects} <= RELEASE["PLACES"].keys()


def test_a_release_writes_it_everywhere_and_dates_the_changelog(tmp_path: Path) -> None:
    for name in (*RELEASE["PLACES"], "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    [before] = {version for _, version in RELEASE["found"](tmp_path)}
    RELEASE["write"](tmp_path, "12.34.56", datetime.date(2031, 2, 3))
    assert {version for _, version in RELEASE["found"](tmp_path)} == {"12.34.56"}
    for name in RELEASE["PLACES"]:
        old, new = ((root / name).read_text() for root in (ROOT, tmp_path))
        # Other packages' versions that happen to be the same are unchanged.
        assert new.count("12.34.56") == RELEASE["PLACES"][name][1]
        assert len(old.splitlines()) == len(new.splitlines())
        assert before in old
    changelog = (tmp_path / "CHANGELOG.md").read_text()
    assert re.search(r"## \[Unreleased\]\n\n## \[12\.34\.56\] - 2031-02-03\n", changelog)
