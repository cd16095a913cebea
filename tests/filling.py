"""Files by the thousand, written past the function with all that follows from them."""

from collections.abc import Iterable
from typing import Any

from moto.backends import get_backend
from moto.dynamodb.models.dynamo_type import DynamoType

from function.contract import Settings
from function.records import FileRow
from function.services.origins import Origins
from function.services.shelving import Shelving
from function.stores.references import references_key
from function.stores.rows import Item, decode, encode
from tests.ground import ACCOUNT, REGION

MODIFIED = "2026-01-01T00:00:00.000Z"


def fill(settings: Settings, owner: str, names: Iterable[str], **fields: Any) -> list[FileRow]:
    """Gives somebody files of a byte each, which no object has; `fields` say what is otherwise."""
    tables = get_backend("dynamodb")[ACCOUNT][REGION].tables
    account = decode(_attributes(tables[settings.users].get_item(DynamoType({"S": owner}))))
    rows = [
        FileRow(
            shelf=owner,
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
    shelving = Shelving(
        Origins(lambda: 0.0, lambda: f"{next(counter):032x}", lambda: "", lambda _: None),
        keep_seconds=2**31,
    )
    files = tables[settings.files]
    for write in shelving.shift(*((None, row) for row in rows)):
        item: Item = write.item
        if write.kind == "Update":  # the count of a folder
            old = files.get_item(
                DynamoType({"S": write.key.partition}), DynamoType({"S": write.key.sort})
            )
            had = int(str(decode(_attributes(old)).get("files", 0))) if old else 0
            item = write.key.item() | {"files": had + int(str(write.values[":more"]))}
        files.put_item(encode(item))
    for row in rows:
        files.put_item(encode(references_key(row.object).item() | {"beyond": 0}))
    used = {
        "bytes_used": int(str(account.get("bytes_used", 0))) + sum(row.size for row in rows),
        "files_used": int(str(account.get("files_used", 0))) + len(rows),
    }
    tables[settings.users].put_item(encode(account | used))
    return rows


def _attributes(item: Any) -> Any:
    return item.to_json()["Attributes"]
