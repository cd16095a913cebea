"""botocore's errors as the application knows them.

An error that trying again may mend becomes Unavailable. A refusal that a caller expects, such as a
failed condition, stays a ClientError, which `error_code` reads. Any other error, such as a missing
permission or a wrong argument, is a bug and passes through.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from function.core.errors import Unavailable

SERVER_ERROR = 500  # and above: the HTTP statuses of AWS's own faults
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
    """The code of an AWS error, such as `NoSuchKey`; empty if it has none."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def translate_aws_errors() -> Iterator[None]:
    """Surrounds every call of AWS. Raises Unavailable for an error that trying again may mend."""
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as error:  # no connection, no answer, no credentials, a wrong checksum
        raise Unavailable from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= SERVER_ERROR or error_code(error) in THROTTLED:
            raise Unavailable from error
        raise
