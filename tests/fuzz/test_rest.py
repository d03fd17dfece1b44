"""Every operation of the published REST document under generated requests, alone and in sequences.

A failure prints a seed; `MESSENGER_FUZZ_SEED` repeats it. `MESSENGER_FUZZ_EXAMPLES` sets the number of
requests per operation (15 in the suite; 60 are some 2,000 in all).
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from tests.client import BASE_PATH
from tests.conftest import SharedStack

# A busy stack may rightly answer 503, which no check tells from a server error.
pytestmark = pytest.mark.alone
DEADLINE_S = 600
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


async def test_no_request_finds_a_server_error_or_an_undocumented_answer(
    stack: SharedStack, tmp_path: Path
) -> None:
    seed = os.environ.get("MESSENGER_FUZZ_SEED") or str(random.randrange(2**32))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{stack.url}{BASE_PATH}/openapi.json"),
        *("--header", f"Authorization: Bearer {stack.token(1)}"),
        *("--checks", ",".join(CHECKS)),
        *("--max-examples", os.environ.get("MESSENGER_FUZZ_EXAMPLES", "15")),
        *("--seed", seed, "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"seed {seed}\n{output.decode()}"
    assert " generated, " in output.decode()
