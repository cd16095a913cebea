"""The emulator's process: ministack behind hypercorn, patched to keep every change it acknowledges.

A change of a row, an object and its notification are on disk before their response leaves. The rest
(roles, bucket settings, queues) is saved within a second. A disk that fails ends the process.

`process` starts it, with the interpreter of the emulator's virtual environment. It stops when its
standard input closes, which also happens when its parent is killed.
"""

import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.emulator import patches

HEALTH = "/_ministack/health"


async def serve(app: Any, descriptor: int, background: Callable[[], Awaitable[None]]) -> None:
    """Serve on an inherited listening socket, beside a task, until standard input closes."""
    hypercorn: Any = importlib.import_module("hypercorn.asyncio")
    config: Any = importlib.import_module("hypercorn.config").Config()
    config.bind, config.keep_alive_timeout = [f"fd://{descriptor}"], 75
    config.loglevel, config.graceful_timeout = "WARNING", 2
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    task = asyncio.ensure_future(background())
    await hypercorn.serve(app, config, shutdown_trigger=ended.wait)
    task.cancel()


def without_private_routes(app: Any) -> Any:
    """The ASGI application without ministack's own `/_…` routes, which need no credentials.

    One of them deletes all data, and any web page that is open on this machine could call it.
    Requests over loopback count as TLS, or the bucket policy would deny them.
    """

    async def serve_aws_only(scope: Any, receive: Any, send: Any) -> None:
        private = scope["type"] != "lifespan" and scope["path"].startswith(("/_", "/health"))
        if private and scope["path"] != HEALTH:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["type"] != "lifespan":
            headers = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await app(scope, receive, send)

    return serve_aws_only


def main() -> None:
    """Patch ministack and serve. Arguments: descriptors of the listening socket and the terminal.

    The folder of the state and the root access key come from the environment.
    """
    descriptor, terminal = map(int, sys.argv[1:])
    folder = Path(os.environ["STATE_DIR"])
    patches.accept_one_root_key(os.environ["AWS_ACCESS_KEY_ID"])
    patches.find_queues_on_any_port()
    patches.verify_checksums_of_whole_objects()
    patches.print_mail(terminal)
    save = patches.write_files_durably(folder)
    patches.journal_rows(folder, save)
    patches.deliver_notifications_before_the_response(save)
    save_changes = patches.save_changed_services(save)
    app = importlib.import_module("ministack.app").app
    asyncio.run(serve(without_private_routes(app), descriptor, save_changes))


if __name__ == "__main__":
    main()
