"""Compiles the C programs of the benchmark, and runs the bare send() reference."""

import asyncio
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path(__file__).parent
_CLIENTS = ("clients.c", "users.c", "figures.c")
_DIALECTS = tuple(str(path.relative_to(_SOURCES)) for path in sorted(_SOURCES.glob("dialects/*.c")))
_SOCKETS = 1_000
_ROUNDS = 100
_REFERENCE_DEADLINE_S = 60.0


class BenchError(Exception):
    """The benchmark can't produce a result; the text says why."""


@dataclass(frozen=True)
class Programs:
    """The paths of the compiled programs."""

    load: Path
    day: Path
    send_reference: Path


def compile_hear(directory: Path) -> Path | None:
    """Compiles hear.c, which tests run; returns None where there is no C compiler."""
    compiler = _compiler()
    if compiler is None:
        return None
    program = directory / "hear"
    _compile(compiler, program, "hear.c", "figures.c", *_DIALECTS)
    return program


def compile_programs(directory: Path) -> Programs | None:
    """Compiles the programs into `directory`; returns None where there is no C compiler."""
    compiler = _compiler()
    if compiler is None:
        return None
    programs = Programs(*(directory / name for name in ("load", "day", "send_reference")))
    _compile(compiler, programs.load, "load.c", *_CLIENTS, *_DIALECTS)
    _compile(compiler, programs.day, "day.c", *_CLIENTS, *_DIALECTS)
    _compile(compiler, programs.send_reference, "send_reference.c")
    return programs


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def _compile(compiler: str, program: Path, *names: str) -> None:
    sources = [str(_SOURCES / name) for name in names]
    done = subprocess.run(
        [compiler, "-O2", "-std=gnu11", "-o", str(program), *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{compiler} cannot compile {', '.join(names)}:\n{done.stderr}")


async def send_reference_us(programs: Programs, frame_bytes: int) -> float:
    """Returns the present CPU time of one bare send() of such a frame, user and system, in µs."""
    process = await asyncio.create_subprocess_exec(
        str(programs.send_reference),
        *(str(number) for number in (_SOCKETS, _ROUNDS, frame_bytes)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        text, _ = await asyncio.wait_for(process.communicate(), _REFERENCE_DEADLINE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise BenchError("the send() reference failed")
    return float(json.loads(text)["us_per_send"])
