"""One process that runs the handler behind a gateway, on a listening socket that it shares.

Started by `crew` with the environment that Lambda would give the function; imports the function
only here. Stops when its standard input ends: after the answers it owes, or at once when the
process that started it was killed.
"""

import importlib
import json
import logging
import os
import socket
import sys
import threading

from local.events import Cors
from local.gateway import TIMEOUT_SECONDS, Gateway


def main() -> None:
    """Serve `module.function` with a CORS configuration on an inherited socket: three arguments."""
    descriptor, handler, cors = sys.argv[1:]
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("local").setLevel(logging.INFO)
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    gateway = Gateway(socket.socket(fileno=int(descriptor)), function, Cors(**json.loads(cors)))

    def end_with_input() -> None:
        sys.stdin.buffer.read()
        gateway.finish(TIMEOUT_SECONDS)
        os._exit(0)  # idle connections hold threads that would wait for a client's next request

    threading.Thread(target=end_with_input).start()
    gateway.serve_forever()


if __name__ == "__main__":
    main()
