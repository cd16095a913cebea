"""`python -m operations.undelete`: brings back the bytes of files whose rows were restored.

The bucket keeps a deleted object as a noncurrent version behind a delete marker, for `keepDays`.
For each file of a table, live or archived, this deletes the markers of its object. Without
`--apply` it only counts.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3


class Outcome(NamedTuple):
    """The objects that files refer to: those in place, those deleted and kept, those lost."""

    in_place: int
    kept: int
    lost: list[str]


def main(arguments: list[str] | None = None) -> int:
    """Undelete, or count; the exit status is 1 if bytes are lost."""
    parser = argparse.ArgumentParser(prog="python -m operations.undelete", description=__doc__)
    parser.add_argument("--table", required=True, help="the name of the table `files`")
    parser.add_argument("--bucket", required=True, help="the name of the bucket")
    parser.add_argument("--apply", action="store_true", help="do it")
    given = parser.parse_args(arguments)
    session = boto3.Session()
    named = set(named_objects(session.client("dynamodb"), given.table))
    outcome = undelete(session.client("s3"), given.bucket, named, apply=given.apply)
    print(f"{len(named)} objects have a file. In place: {outcome.in_place}.")
    print(f"{'Brought back' if given.apply else 'To be brought back'}: {outcome.kept}.")
    print(f"Lost: {len(outcome.lost)}.")
    for key in outcome.lost:
        print(f"  {key}")
    return 1 if outcome.lost else 0


def named_objects(dynamodb: Any, table: str) -> Iterator[str]:
    """The keys of the objects that the files of a table refer to."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="attribute_exists(version)",
        ProjectionExpression="#object",
        ExpressionAttributeNames={"#object": "object"},
    )
    for page in pages:
        for item in page["Items"]:
            if "object" in item:
                yield item["object"]["S"]


def undelete(s3: Any, bucket: str, named: set[str], *, apply: bool) -> Outcome:
    """Deletes the delete markers that hide the objects of these keys."""
    markers: dict[str, list[str]] = {}
    versions: set[str] = set()
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions |= {each["Key"] for each in page.get("Versions", [])} & named
        for each in page.get("DeleteMarkers", []):
            if each["Key"] in named:
                markers.setdefault(each["Key"], []).append(each["VersionId"])
    hidden = sorted(versions & markers.keys())
    if apply:
        for key in hidden:
            for version in markers[key]:
                s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    return Outcome(len(versions) - len(hidden), len(hidden), sorted(named - versions))


if __name__ == "__main__":
    sys.exit(main())
