"""Thousands of files, written to the tables directly, with all rows that depend on them."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from moto.backends import get_backend
from moto.dynamodb.models.dynamo_type import DynamoType

from function.aws.rows import Item, decode, encode
from function.contract import Settings
from function.core.runtime import Runtime
from function.files.commit import FileWrites
from function.tables.files import FileRow, refcount_key
from tests.support.fake_aws import ACCOUNT, REGION

MODIFIED = "2026-01-01T00:00:00.000Z"


def fill(settings: Settings, owner: str, names: Iterable[str], **fields: Any) -> list[FileRow]:
    """Creates files of one byte without objects; `fields` replace fields of their rows."""
    tables = get_backend("dynamodb")[ACCOUNT][REGION].tables
    account = decode(_attributes(tables[settings.users].get_item(DynamoType({"S": owner}))))
    rows = [
        FileRow(
            partition=owner,
            name=name,
            **{
                "id": f"{number:032x}",
                "owner_id": account["id"],
                "rev": f"rev{number}",
                "object": f"{owner}/{number}",
                "size": 1,
                "etag": "e",
                "content_type": "x/y",
                "created": MODIFIED,
                "modified": MODIFIED,
                "version": 1,
                **fields,
            },
        )
        for number, name in enumerate(names)
    ]
    counter = iter(range(len(rows)))
    runtime = Runtime(lambda: 0.0, lambda: f"{next(counter):032x}", lambda: "", lambda _: None)
    base: Any = SimpleNamespace(runtime=runtime, settings=SimpleNamespace(keep_seconds=2**31))
    shelving = FileWrites(base)
    files = tables[settings.files]
    for write in shelving.change_files(*((None, row) for row in rows)):
        item: Item = write.item
        if write.kind == "Update":  # the count of a folder
            old = files.get_item(
                DynamoType({"S": write.key.partition}), DynamoType({"S": write.key.sort})
            )
            had = int(str(decode(_attributes(old)).get("files", 0))) if old else 0
            item = write.key.item() | {"files": had + int(str(write.change.values[":files"]))}
        files.put_item(encode(item))
    for row in rows:
        files.put_item(encode(refcount_key(row.object).item() | {"others": 0}))
    used = {
        "bytes_used": int(str(account.get("bytes_used", 0))) + sum(row.size for row in rows),
        "files_used": int(str(account.get("files_used", 0))) + len(rows),
    }
    tables[settings.users].put_item(encode(account | used))
    return rows


def _attributes(item: Any) -> Any:
    return item.to_json()["Attributes"]
