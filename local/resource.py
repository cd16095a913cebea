"""A resource that the stack declares, as plain data. Imports the standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One declared resource. `kind` is Pulumi's type token, `aws:s3/bucket:Bucket` for a bucket.

    `inputs` are in the provider's spelling (camel case). `depends_on` holds names of resources.
    """

    kind: str
    name: str
    inputs: dict[str, Any]
    protect: bool = False
    provider: str = ""
    depends_on: tuple[str, ...] = ()

    @property
    def physical_name(self) -> str:
        """The name in AWS: that of the inputs, else the logical name, never a random one."""
        return str(self.inputs.get("name") or self.inputs.get("bucket") or self.name)


def only_resource(resources: list[Resource], kind: str) -> Resource:
    """The one resource of a kind. Raises ValueError when there is none or more than one."""
    (found,) = (resource for resource in resources if resource.kind == kind)
    return found


def to_boto3(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """An input in boto3's spelling: every key begins with a capital, or is what `names` gives."""
    if isinstance(value, Mapping):
        names = names or {}
        return {
            names.get(key, key[0].upper() + key[1:]): to_boto3(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [to_boto3(item, names) for item in value]
    return value
