"""deploy/k8s is valid by Kubernetes's own schemas, and keeps its promises about safety and availability."""

import re
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chat_api.outgoing.addresses import GLOBAL_V6, SPECIAL_V4, SPECIAL_V6
from messenger_local.configuration import SERVICES as VARIABLES
from tests.deploy.rendering import Resource, pods_in, render

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
SERVICES = ("gateway", "chat-api", "presence", "feed")
# The oldest version that is still maintained, and the newest.
VERSIONS = ("1.34", "1.37")
MARGIN_S = 10


@pytest.fixture(scope="module", params=["base", "overlays/dev", "overlays/production"])
def resources(request: pytest.FixtureRequest) -> list[Resource]:
    return render(K8S / request.param)


def one(resources: list[Resource], kind: str, name: str) -> Any:
    [found] = [r for r in resources if (r["kind"], r["metadata"]["name"]) == (kind, name)]
    return found


def pod_specs(resources: list[Resource]) -> list[Any]:
    return [pod["spec"] for resource in resources for pod in pods_in(resource)]


def settings(resources: list[Resource]) -> dict[str, str]:
    data: dict[str, str] = one(resources, "ConfigMap", "messenger-settings")["data"]
    return data


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_valid(resources: list[Resource], version: str) -> None:
    for resource in resources:
        kubernetes_validate.validate(resource, version, strict=True)


def test_a_mistake_would_be_found() -> None:
    resource = render(K8S / "base")[0] | {"data": ["no mapping"]}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, VERSIONS[0], strict=True)


def test_every_pod_is_one_that_the_restricted_standard_lets_in(resources: list[Resource]) -> None:
    for spec in pod_specs(resources):
        pod = spec["securityContext"]
        assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, 10001)
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= container["resources"].keys()
            assert "memory" in container["resources"]["limits"]


def test_overlays_enforce_that_standard() -> None:
    for overlay in ("dev", "production"):
        [namespace] = [r for r in render(K8S / "overlays" / overlay) if r["kind"] == "Namespace"]
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_has_the_time_to_leave(resources: list[Resource], service: str) -> None:
    spec = one(resources, "Deployment", service)["spec"]["template"]["spec"]
    before = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    graceful, drain = (int(settings(resources)[f"MESSENGER_{name}_S"]) for name in ("GRACEFUL", "DRAIN"))
    assert spec["terminationGracePeriodSeconds"] >= before + graceful + MARGIN_S
    assert graceful >= drain + MARGIN_S


@pytest.mark.parametrize("service", SERVICES)
def test_three_probes_ask_and_only_readiness_takes_out_of_service(
    resources: list[Resource], service: str
) -> None:
    [container] = one(resources, "Deployment", service)["spec"]["template"]["spec"]["containers"]
    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_that_is_ready_is_seen_to_be_within_a_second(resources: list[Resource], service: str) -> None:
    [container] = one(resources, "Deployment", service)["spec"]["template"]["spec"]["containers"]
    for name in ("startup", "readiness"):
        probe = container[f"{name}Probe"]
        assert (probe["periodSeconds"], probe.get("initialDelaySeconds", 0)) == (1, 0)
        assert probe.get("successThreshold", 1) == 1
    # A slow start has two minutes, and one late answer doesn't take a pod out of service.
    assert container["startupProbe"]["failureThreshold"] >= 120
    assert container["readinessProbe"]["failureThreshold"] >= 3


def test_a_lost_question_to_the_name_server_is_asked_again_after_a_second(resources: list[Resource]) -> None:
    for spec in pod_specs(resources):
        options = {option["name"]: option["value"] for option in spec["dnsConfig"]["options"]}
        assert options["timeout"] == "1"
        assert int(options["attempts"]) >= 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_roll_out_and_a_drained_node_take_one_pod_at_a_time(
    resources: list[Resource], service: str
) -> None:
    deployment = one(resources, "Deployment", service)["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = one(resources, "PodDisruptionBudget", service)["spec"]
    assert budget["maxUnavailable"] == 1
    labels = deployment["template"]["metadata"]["labels"]
    selectors = [budget["selector"], deployment["selector"]]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    selectors += [constraint["labelSelector"] for constraint in spread]
    assert all(selector["matchLabels"].items() <= labels.items() for selector in selectors)
    assert {c["topologyKey"] for c in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def test_the_gateway_scales_by_sockets_and_chat_api_and_the_feed_by_cpu(resources: list[Resource]) -> None:
    metrics = one(resources, "HorizontalPodAutoscaler", "gateway")["spec"]["metrics"]
    assert metrics[0]["pods"]["metric"]["name"] == "messenger_connections"
    assert "messenger_connections" in (K8S / "metric-adapter.yaml").read_text()
    for service in ("chat-api", "feed"):
        [metric] = one(resources, "HorizontalPodAutoscaler", service)["spec"]["metrics"]
        assert metric["resource"]["name"] == "cpu"


def allowed_ports(resources: list[Resource], service: str) -> set[int | None]:
    """The ports that a service may reach; None for all."""
    rules = one(resources, "NetworkPolicy", service)["spec"]["egress"]
    return {port.get("port") for rule in rules for port in rule["ports"]}


def test_each_reaches_only_what_it_needs(resources: list[Resource]) -> None:
    everything = one(resources, "NetworkPolicy", "default-deny")["spec"]
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & everything.keys()
    for pod in (pod for resource in resources for pod in pods_in(resource)):
        assert everything["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert allowed_ports(resources, "gateway") == {53, 6379}
    assert allowed_ports(resources, "chat-api") == {53, 6379, 5432}
    assert allowed_ports(resources, "presence") == {53, 6379, 5432}
    assert allowed_ports(resources, "feed") == {53, 6379, 5432, None}
    assert allowed_ports(resources, "migrate") == {53, 5432}


def test_the_feed_alone_goes_out_and_to_public_addresses_alone(resources: list[Resource]) -> None:
    blocks = [
        (policy["metadata"]["name"], source["ipBlock"])
        for policy in resources
        if policy["kind"] == "NetworkPolicy"
        for rule in policy["spec"].get("egress", [])
        for source in rule.get("to", [])
        if "ipBlock" in source
    ]
    assert blocks == [
        ("feed", {"cidr": "0.0.0.0/0", "except": list(map(str, SPECIAL_V4))}),
        ("feed", {"cidr": str(GLOBAL_V6), "except": list(map(str, SPECIAL_V6))}),
    ]


def test_only_the_gateway_is_reached_from_outside_and_not_what_operators_ask(
    resources: list[Resource],
) -> None:
    rules = one(resources, "Ingress", "messenger")["spec"]["rules"]
    paths = [path for rule in rules for path in rule["http"]["paths"]]
    assert {path["backend"]["service"]["name"] for path in paths} == {"gateway"}
    for hidden in ("/metrics", "/readyz", "/healthz"):
        assert not any(p["pathType"] == "Prefix" and hidden.startswith(p["path"]) for p in paths)
    sources = {
        service: {
            str(source["namespaceSelector"]["matchLabels"])
            for rule in one(resources, "NetworkPolicy", service)["spec"]["ingress"]
            for source in rule["from"]
        }
        for service in SERVICES
    }
    assert len(sources["gateway"] - sources["chat-api"]) == 1
    monitoring = {"{'kubernetes.io/metadata.name': 'monitoring'}"}
    assert sources["chat-api"] == sources["presence"] == sources["feed"] == monitoring
    assert all(r["spec"].get("type", "ClusterIP") == "ClusterIP" for r in resources if r["kind"] == "Service")


def test_secrets_are_named_and_never_in_a_file(resources: list[Resource]) -> None:
    assert not [r for r in resources if r["kind"] == "Secret"]
    for service in SERVICES:
        [container] = one(resources, "Deployment", service)["spec"]["template"]["spec"]["containers"]
        told = {row["name"]: row["value"] for row in container["env"] if "value" in row}
        assert told == ({"MESSENGER_SERVICE": "feed"} if service == "feed" else {})
        secrets = [row["valueFrom"]["secretKeyRef"]["name"] for row in container["env"] if "valueFrom" in row]
        assert set(secrets) == {f"messenger-{service}"}
    known = {variable.name for variables in VARIABLES.values() for variable in variables}
    assert settings(resources).keys() <= known
    assert not any(re.search("SECRET|PASSWORD|URL", name) for name in settings(resources))


def test_images_are_of_this_release() -> None:
    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for spec in pod_specs(render(K8S / "overlays" / "production")):
        for container in spec["containers"]:
            assert container["image"].endswith(f":{release}"), container["image"]


def test_the_feed_is_chat_apis_image(resources: list[Resource]) -> None:
    images = {
        service: one(resources, "Deployment", service)["spec"]["template"]["spec"]["containers"][0]["image"]
        for service in SERVICES
    }
    assert images["feed"] == images["chat-api"]
    assert len(set(images.values())) == len(SERVICES) - 1


def test_the_migrations_are_each_services_own(resources: list[Resource]) -> None:
    jobs = {r["metadata"]["name"]: r["spec"]["template"]["spec"] for r in resources if r["kind"] == "Job"}
    assert jobs.keys() == {"migrate-chat-api", "migrate-presence"}
    for name, spec in jobs.items():
        assert spec["containers"][0]["image"].split("/")[-1].startswith(f"messenger-{name[8:]}")
        assert spec["restartPolicy"] == "Never"
        # The label by which the runbook applies them first.
        assert one(resources, "Job", name)["metadata"]["labels"]["app.kubernetes.io/name"] == "migrate"


def test_the_adapters_rules_are_yaml() -> None:
    assert yaml.safe_load((K8S / "metric-adapter.yaml").read_text())["rules"]["custom"]
