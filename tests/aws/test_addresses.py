"""Presigned URLs expire, at an emulator that verifies their time.

Here the signer's clock can be set back; `tests/e2e/test_refusals.py` has the other refusals of S3.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.auth
import pytest
from moto.core.models import botocore_stubber

from function.aws.s3 import Bucket
from function.core.limits import URL_SECONDS
from local.emulator.process import REGION, Emulator
from local.emulator.state import StateFolder

pytestmark = pytest.mark.enable_socket

BUCKET, TYPE, DATA = "bytes", "text/plain", b"abc"
MARGIN = 60  # seconds that the requests of the test may take
SignedRequest = tuple[str, str, dict[str, str], bytes | None]


@dataclass(frozen=True)
class Store:
    """A client of a bucket with one object and one multipart upload."""

    client: Any
    multipart: str

    def requests(self) -> list[SignedRequest]:
        """A request to each kind of presigned URL."""
        signer = Bucket(self.client, BUCKET)
        url, headers = signer.presign_put(
            "new", TYPE, len(DATA), URL_SECONDS, sha256=None, crc64nvme=None
        )
        part, _ = signer.presign_part("parts", self.multipart, 1, len(DATA), None, URL_SECONDS)
        get = signer.presign_get("there", "attachment", TYPE, URL_SECONDS)
        return [
            ("PUT", url, headers, DATA),
            ("PUT", part, {"content-type": ""}, DATA),
            ("GET", get, {}, None),
        ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with StateFolder(tmp_path) as state, Emulator(state, 0) as emulator:
        session = boto3.Session(*state.admin_keys(), region_name=REGION)
        client: Any = session.client("s3", endpoint_url=emulator.url)
        # Other tests of this process may have moto stand in for AWS.
        client.meta.events.unregister("before-send", botocore_stubber)
        place = {"LocationConstraint": REGION}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        client.put_object(Bucket=BUCKET, Key="there", Body=DATA)
        begun = client.create_multipart_upload(Bucket=BUCKET, Key="parts")
        yield Store(client, begun["UploadId"])
        client.close()


def send(signed: SignedRequest) -> tuple[int, bytes]:
    method, url, headers, body = signed
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_presigned_url_expires(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """PUT, PUT of a part and GET work until the time is over, and are then refused."""
    ago = timedelta(0)
    monkeypatch.setattr(
        botocore.auth,
        "get_current_datetime",
        lambda: (datetime.now(UTC) - ago).replace(tzinfo=None),
    )
    ago = timedelta(seconds=URL_SECONDS + 1)
    expired = store.requests()
    ago = timedelta(seconds=URL_SECONDS - MARGIN)
    good = store.requests()
    ago = timedelta(0)  # the test itself signs with the true time
    for request in expired:
        status, said = send(request)
        assert status == 403
        assert b"<Code>AccessDenied</Code>" in said
        assert b"expired" in said
    listed = store.client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [each["Key"] for each in listed] == ["there"]
    where = {"Bucket": BUCKET, "Key": "parts", "UploadId": store.multipart}
    assert store.client.list_parts(**where).get("Parts", []) == []
    assert [send(request)[0] for request in good] == [200, 200, 200]
    assert len(store.client.list_parts(**where)["Parts"]) == 1
