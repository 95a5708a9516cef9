"""What the containers of a pod are called as replicas."""

from collections.abc import Mapping
from typing import Any

from casework.importers._shape import mapping, sequence, text

DEFAULT = "kubectl.kubernetes.io/default-container"
"""The annotation that names the main container of a pod."""

_PROXIES = ("istio-proxy", "linkerd-proxy", "envoy", "cloud-sql-proxy", "cloudsql-proxy",
            "consul-dataplane", "daprd", "kuma-sidecar", "vault-agent")  # fmt: skip


def space_of(meta: Mapping[str, Any]) -> str:
    """The namespace of an object, which is `default` where none is named."""
    return text(meta.get("namespace")) or "default"


def replicas_of(
    pod: Mapping[str, Any], states: list[Mapping[str, Any]], shared: set[str]
) -> list[str | None]:
    """The names of replicas: requests know the main container by the name of its pod.

    Containers that are started before it and run beside it come last in `states`.
    """
    meta = mapping(pod.get("metadata"))
    name = text(meta.get("name"))
    if name is None:
        return [None] * len(states)
    if name in shared:
        name = f"{space_of(meta)}/{name}"
    boxes = [text(one.get("name")) for one in states]
    spec = mapping(pod.get("spec"))
    declared = sequence(spec.get("containers"))
    listed = [text(mapping(one).get("name")) for one in declared] or boxes  # states are sorted
    told = text(mapping(meta.get("annotations")).get(DEFAULT))
    served = (box for box in listed if box in boxes and box not in _PROXIES)
    main = told if told and told in boxes else next(served, None)
    initial = {text(mapping(one).get("name")) for one in sequence(spec.get("initContainers"))}
    first = next((n for n, box in enumerate(boxes) if box not in initial), None)
    at = boxes.index(main) if main in boxes else first
    return [name if n == at or not box else f"{name}/{box}" for n, box in enumerate(boxes)]
