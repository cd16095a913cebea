"""The one seam where botocore's errors become ours.

A fault of AWS's becomes `Unavailable`; a refusal that its caller expects stays a ClientError and
is read with `code`; what is left (a missing permission, a wrong argument) is a bug of ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from function.core.errors import Unavailable

SERVER_ERROR = 500
THROTTLED = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def error_code(error: ClientError) -> str:
    """The name that AWS gives the refusal."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def translate_aws_errors() -> Iterator[None]:
    """Wraps each call of AWS. Raises Unavailable for what trying again may mend."""
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as error:  # no connection, no answer, no credentials, a bad checksum
        raise Unavailable from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= SERVER_ERROR or error_code(error) in THROTTLED:
            raise Unavailable from error
        raise
