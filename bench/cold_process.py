"""Runs in a new interpreter for `cold_start`, and prints the CPU seconds of one cold start.

`python -I -S cold_process.py ARTIFACT STATEMENTS` imports from the artifact by the statements,
which define `lambda_handler`. Standard input holds None, or an event and AWS's answers to it, which
the handler then gets for a first request. It is read by `marshal`, which is built in: a module that
this program imported would be missing from the figures.
"""

import marshal
import sys
import time
from typing import Any


class Context:
    """Lambda's context of one request."""

    aws_request_id = "bench"
    function_name = "bench"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"


def main() -> None:
    """Run the statements and the request. Raises RuntimeError when the answer is not 200."""
    artifact, statements = sys.argv[1:]
    recording = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - from the process that started it
    sys.path.insert(0, artifact)
    began = time.process_time()
    names: dict[str, Any] = {}
    exec(statements, names)  # noqa: S102
    if recording:
        event, answers = recording
        answer_calls(answers)
        answer = names["lambda_handler"](event, Context())
        if answer["statusCode"] != 200:  # noqa: PLR2004
            raise RuntimeError(answer)
    print(time.process_time() - began)


def answer_calls(answers: list[tuple[int, dict[str, str], bytes]]) -> None:
    """Have botocore take these answers, in turn, in place of sending requests."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - from the artifact
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    class Body:
        def __init__(self, content: bytes) -> None:
            self._content = content

        def stream(self) -> list[bytes]:
            return [self._content]

    def send(_: Any, request: Any) -> Any:
        status, headers, content = answers.pop(0)
        return AWSResponse(request.url, status, headers, Body(content))

    URLLib3Session.send = send


if __name__ == "__main__":
    main()
