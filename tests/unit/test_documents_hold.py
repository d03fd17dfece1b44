"""What the pages name exists: files, links, functions, settings, and the values of constants."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The changelog is about the past: its names may be gone.
PAGES = [
    path
    for pattern in (
        "*.md",
        "shared/**/*.md",
        "services/*/*.md",
        "services/gateway/web/*.md",
        "deploy/**/*.md",
    )
    for path in sorted(ROOT.glob(pattern))
    if path.name != "CHANGELOG.md" and ".venv" not in path.parts
]
# A path on a page is relative to the page, or to one of these.
BASES = (
    "",
    "services/gateway/src",
    "services/chat-api/src",
    "services/presence/src",
    "services/gateway",
    "shared",
    "shared/src",
    "deploy/local/src",
)
FILE = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|sql|lua|ts|tsx|md|yml|sh|cfg|json|acl)|(?=`)))`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
SETTING = re.compile(r"\bMESSENGER_[A-Z0-9_]*[A-Z0-9]\b")
SYMBOL = re.compile(r"`(_?[A-Za-z]\w*(?:\.\w+)?)`")
CONSTANT = re.compile(r"^\| .* \| `([A-Z][A-Z0-9_]+)` in `([\w/.-]+)` \| ([\d.,]+)", re.MULTILINE)
# An example of a host application's own files.
OF_A_HOST = "app/"
WALK = ROOT / "shared/docs/message-path.md"
WHERE_TO_CHANGE = ROOT / "shared/docs/where-to-change.md"


def _found(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for name in sorted(set(pattern.findall(page.read_text()))):
            yield str(page.relative_to(ROOT)), name


def _place(name: str, page: str) -> Path | None:
    places = ((ROOT / page).parent / name, *(ROOT / base / name for base in BASES))
    return next((place for place in places if place.exists()), None)


def _symbols(text: str) -> set[str]:
    """Returns the classes, methods, constants and private functions that the text names."""
    return {name for name in SYMBOL.findall(text) if name[0].isupper() or name[0] == "_"}


def _parts(page: Path, separator: str) -> list[str]:
    """Returns the parts of the page that name files and what is in them."""
    return [part for part in re.split(separator, page.read_text()) if FILE.search(part) and _symbols(part)]


@pytest.mark.parametrize(("page", "name"), [row for row in _found(FILE) if not row[1].startswith(OF_A_HOST)])
def test_a_file_that_a_page_names_is_there(page: str, name: str) -> None:
    assert _place(name, page)


@pytest.mark.parametrize(("page", "target"), list(_found(LINK)))
def test_a_link_leads_to_a_file(page: str, target: str) -> None:
    assert ((ROOT / page).parent / target).exists()


@pytest.mark.parametrize(("page", "name"), list(_found(SETTING)))
def test_a_setting_that_a_page_names_is_read(page: str, name: str) -> None:
    # A page may name a secret by the variable of the file that holds it.
    assert re.search(rf"\b({name}|{name.removesuffix('_FILE')})\b", _sources())


@pytest.mark.parametrize("part", [*_parts(WALK, r"\n\n|\n(?=\d+\. )"), *_parts(WHERE_TO_CHANGE, r"\n")])
def test_a_part_of_a_guide_names_what_is_in_its_files(part: str) -> None:
    files = [path for name in FILE.findall(part) if (path := _place(name, str(WALK.relative_to(ROOT))))]
    defined = set().union(*(_definitions(path) for path in files if path.suffix == ".py"))
    assert _symbols(part) <= defined


def test_each_step_of_the_walk_names_a_file_and_what_is_in_it() -> None:
    steps = [part for part in _parts(WALK, r"\n\n|\n(?=\d+\. )") if part[0].isdigit()]
    assert len(steps) >= 16


@pytest.mark.parametrize(
    ("name", "file", "value"), [row for page in PAGES for row in CONSTANT.findall(page.read_text())]
)
def test_a_constant_has_the_value_that_a_page_tells(name: str, file: str, value: str) -> None:
    place = _place(file, "README.md")
    assert place
    found = re.search(rf"^{name}(?:: Final)? = ([\d_.* ]+)$", place.read_text(), re.MULTILINE)
    assert found
    # The pattern allows only digits and products.
    assert eval(found[1]) == float(value.replace(",", ""))


@cache
def _sources() -> str:
    command = ["git", "grep", "-hE", "MESSENGER_", "--", ":!*.md", ":!tests/unit/test_documents_hold.py"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@cache
def _definitions(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
            names |= {f"{node.name}.{member.name}" for member in node.body if hasattr(member, "name")}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return frozenset(names)
