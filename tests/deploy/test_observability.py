"""deploy/observability: every alert was seen firing, is explained, and uses existing metrics."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import chat_api.before_send.asking
import chat_api.feed.metrics
import chat_api.feed.push.metrics
import chat_api.feed.webhooks.metrics
import chat_api.handlers.server_users
import chat_api.outgoing.metrics
import chat_api.search.searching
import chat_api.send_batcher  # noqa: F401
import gateway.metrics  # noqa: F401
import messenger_shared.observability.metrics  # noqa: F401

ROOT = Path(__file__).parents[2]
HERE = ROOT / "deploy" / "observability"
RULES = yaml.safe_load((HERE / "alerts.yml").read_text())["groups"][0]["rules"]
CASES = yaml.safe_load((HERE / "alerts_test.yml").read_text())["tests"]
ALERTS = [rule["alert"] for rule in RULES]
PROMTOOL = shutil.which("promtool")


def queries() -> list[str]:
    """Returns the queries of the dashboard."""
    dashboard = json.loads((HERE / "grafana" / "messenger.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def metrics_in(expressions: Iterable[str]) -> set[str]:
    return {name for text in expressions for name in re.findall(r"\bmessenger_\w+", text)}


def known_metrics() -> set[str]:
    families = list(REGISTRY.collect())
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    return {f.name + suffix for f in families for suffix in suffixes.get(f.type, [])}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    if PROMTOOL is None:
        pytest.skip("promtool is not installed: Debian has it in the package prometheus")
    return subprocess.run(
        [PROMTOOL, *arguments], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_alert_fires_when_it_has_to_and_not_before() -> None:
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_case_of_silence_and_one_of_noise(alert: str) -> None:
    [case] = [case for case in CASES if case["name"] == alert]
    quiet, loud = case["alert_rule_test"]
    assert quiet["exp_alerts"] == []
    assert len(loud["exp_alerts"]) == 1
    assert quiet["alertname"] == loud["alertname"] == alert


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_explained_in_the_runbook(alert: str) -> None:
    runbook = (ROOT / "shared/docs/runbook.md").read_text()
    assert f"### {alert}\n" in runbook


@pytest.mark.parametrize("rule", RULES, ids=ALERTS)
def test_every_alert_says_how_grave_it_is_and_what_is_wrong(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}


def test_alerts_and_the_dashboard_use_existing_metrics() -> None:
    used = metrics_in([rule["expr"] for rule in RULES] + queries())
    assert used <= known_metrics(), used - known_metrics()
    assert len(used) > 15


def test_documents_name_existing_metrics() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "shared" / "docs").glob("**/*.md")]
    named = {name for page in pages for name in re.findall(r"\bmessenger_\w+_total\b", page.read_text())}
    assert named <= known_metrics(), named - known_metrics()
    assert "messenger_server_key_checks_total" in named


def test_the_dashboards_queries_are_ones(tmp_path: Path) -> None:
    rules = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_each_service() -> None:
    config = yaml.safe_load((HERE / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job["dns_sd_configs"][0]["names"] for job in config["scrape_configs"]}
    assert jobs == {name: [name] for name in ("gateway", "chat-api", "presence", "feed")}
