"""In place of Lambda's runtime: loads a handler, and tells it about its invocation."""

import importlib
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 28  # of an invocation, as the stack declares; its HTTP API waits for 29

Event = dict[str, Any]
Handler = Callable[[Event, "Context"], Any]


@dataclass(frozen=True)
class Context:
    """The context object of an invocation (AWS Lambda Developer Guide, Python context object)."""

    function_name: str = "satchel-local"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    log_group_name: str = "/aws/lambda/satchel-local"
    log_stream_name: str = "local"
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:satchel-local"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the invocation."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def start(handler: str) -> Handler:
    """Set up the log of this process and load `package.module.function`."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("local").setLevel(logging.INFO)
    module, _, name = handler.rpartition(".")
    function: Handler = getattr(importlib.import_module(module), name)
    return function


def exit_with_parent(finish: Callable[[], object]) -> None:
    """End this process after `finish`, once the parent closes standard input or is killed."""

    def wait() -> None:
        sys.stdin.buffer.read()
        finish()
        os._exit(0)  # other threads may wait for a client or the queue for a long time

    threading.Thread(target=wait).start()
