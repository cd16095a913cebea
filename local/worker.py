"""A process that runs the handler behind a gateway, on a listening socket that workers share.

`worker_pool` starts it with the environment of the function. It ends with its parent, after the
responses that it owes.
"""

import json
import socket
import sys

from local.gateway.cors import Cors
from local.gateway.server import Gateway
from local.lambda_runtime import TIMEOUT_SECONDS, exit_with_parent, start


def main() -> None:
    """Serve on an inherited socket. Arguments: its descriptor, the handler, CORS as JSON."""
    descriptor, handler, cors = sys.argv[1:]
    listener = socket.socket(fileno=int(descriptor))
    gateway = Gateway(listener, start(handler), Cors(**json.loads(cors)))
    exit_with_parent(lambda: gateway.finish(TIMEOUT_SECONDS))
    gateway.serve_forever()


if __name__ == "__main__":
    main()
