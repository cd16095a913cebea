"""The line for a file in parts does not give up when the function is busy."""

import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from function.tables.uploads import UploadRow
from function.uploads import parts
from local.gateway.server import Gateway


@pytest.mark.enable_socket
def test_a_part_and_the_completion_are_asked_for_again_after_a_503(tmp_path: Path) -> None:
    """As a completion is answered while S3 still puts thousands of parts together."""
    asked: list[tuple[str, str]] = []

    def handler(event: Any, context: Any) -> Any:
        path = event["rawPath"]
        asked.append((path, event.get("body", "")))
        busy = {"statusCode": 503, "headers": {"retry-after": "1"}, "body": "busy"}
        if path.startswith("/uploads/") and [each for each, _ in asked].count(path) == 1:
            return busy
        if path.endswith("/parts"):
            return {"statusCode": 200, "body": json.dumps({"parts": [{"url": f"{base}/store"}]})}
        return {"statusCode": 200, "body": "" if path == "/store" else "made"}

    row = UploadRow(
        partition="alice/", name="u", user_id="i", owner="alice", file_name="d/f.txt", object="o",
        content_type="text/plain", on_conflict="replace", created="", expires_at=0, rev="r",
        size=6, part_size=4, multipart="m",
    )  # fmt: skip
    (tmp_path / "f.txt").write_bytes(b"sixbyt")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        gateway = Gateway(listener, handler)
        thread = threading.Thread(target=gateway.serve_forever, args=(0.05,))
        thread.start()
        run = subprocess.run(
            ["bash", "-c", parts.curl_multipart(row, base)],
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TOKEN": "t", "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        gateway.finish(5)
        thread.join()
    assert (run.returncode, run.stdout) == (0, "made"), run.stderr
    signing, storing, making = "/uploads/u/parts", "/store", "/uploads/u/complete"
    paths = [path for path, _ in asked]
    assert paths == [signing, signing, storing, signing, storing, making, making]
    sent = [body for path, body in asked if path == storing]
    assert sent == ["c2l4Yg==", "eXQ="]
