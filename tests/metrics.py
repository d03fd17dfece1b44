"""Reads /metrics of a running service."""

from __future__ import annotations

from collections import Counter
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import SharedStack


async def scrape_metrics(stack: SharedStack, service: str = "gateway") -> dict[str, Any]:
    """Returns the metrics: name (with the name of a check) -> value."""
    return {
        sample.name + sample.labels.get("check", ""): sample.value for sample in await samples(stack, service)
    }


async def scrape_by_labels(stack: SharedStack, name: str, service: str = "gateway") -> Counter[str]:
    """Returns the values of one metric, by the values of its labels, joined by spaces."""
    found = [sample for sample in await samples(stack, service) if sample.name == name]
    return Counter({" ".join(sample.labels.values()): sample.value for sample in found})


async def samples(stack: SharedStack, service: str) -> list[Any]:
    """Returns the samples of all metrics of a service."""
    url = stack.url if service == "gateway" else stack.address(service)
    # A new connection each time, so that another worker may answer.
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        return [sample for family in families for sample in family.samples]
