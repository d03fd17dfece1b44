"""Owns reading /metrics of a running service."""

from __future__ import annotations

from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import SharedStack


async def figures(stack: SharedStack, service: str = "gateway") -> dict[str, Any]:
    """Name (with a check's name) -> value."""
    url = stack.url if service == "gateway" else stack.address(service)
    # A connection of its own each time: another worker may answer.
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
    return {sample.name + sample.labels.get("check", ""): sample.value for sample in samples}
