"""Renders deploy/k8s as kustomize would, as far as its features are used there; anything else is an error."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KEYS = {"apiVersion", "kind", "namespace", "resources", "labels", "images", "patches"}


def render(folder: Path) -> list[Resource]:
    """Returns the resources of a base or an overlay."""
    text = (folder / "kustomization.yaml").read_text()
    plan = yaml.safe_load(text)
    assert plan.keys() <= _KEYS, f"not known here: {plan.keys() - _KEYS}"
    resources: list[Resource] = []
    for name in plan["resources"]:
        path = folder / name
        resources += render(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))
    for resource in resources:
        _label(resource, plan.get("labels", []))
        _place(resource, plan.get("namespace"))
        for pod in pods_in(resource):
            _choose_images(pod, plan.get("images", []))
    for patch in plan.get("patches", []):
        hit = [resource for resource in resources if _matches(resource, patch["target"])]
        assert hit, f"{patch['target']} is nowhere"
        for resource in hit:
            for operation in yaml.safe_load(patch["patch"]):
                _apply(resource, copy.deepcopy(operation))
    return resources


def pods_in(resource: Resource) -> list[Resource]:
    """Returns the pod template of a Deployment or a Job."""
    return [resource["spec"]["template"]] if resource["kind"] in ("Deployment", "Job") else []


def _label(resource: Resource, labels: list[Any]) -> None:
    for pairs in labels:
        resource["metadata"].setdefault("labels", {}).update(pairs["pairs"])


def _place(resource: Resource, namespace: str | None) -> None:
    if namespace and resource["kind"] != "Namespace":
        resource["metadata"]["namespace"] = namespace


def _choose_images(pod: Resource, images: list[Any]) -> None:
    chosen = {image["name"]: image for image in images}
    for container in pod["spec"]["containers"]:
        if image := chosen.get(container["image"].partition(":")[0]):
            container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"


def _matches(resource: Resource, target: Resource) -> bool:
    return resource["kind"] == target["kind"] and target.get("name") in (None, resource["metadata"]["name"])


def _apply(resource: Resource, operation: Resource) -> None:
    """Applies one JSON patch operation."""
    *way, last = operation["path"].strip("/").split("/")
    place: Any = resource
    for step in way:
        place = place[step]
    assert operation["op"] in ("add", "replace"), operation
    assert operation["op"] == "add" or last in place, f"{operation['path']}: nothing to replace"
    place[last] = operation["value"]
