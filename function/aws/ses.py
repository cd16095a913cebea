"""E-mail through Amazon SES."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from function.aws.errors import SERVER_ERROR, error_code, translate_aws_errors
from function.core.errors import Unavailable

# SES's mailbox simulator accepts mail and delivers it to nobody, in the time of any other mail.
NOBODY = "success@simulator.amazonses.com"


class Mail:
    """Plain-text e-mail from one sender."""

    def __init__(self, client: Callable[[], Any], sender: str) -> None:
        """`client` makes the client of SES for the first mail; `sender` is a verified address.

        An empty `sender` means that the installation sends no mail.
        """
        self._client = client
        self._sender = sender

    @property
    def configured(self) -> bool:
        """Whether the installation sends mail."""
        return bool(self._sender)

    def send(self, to: str | None, subject: str, text: str) -> str | None:
        """Sends a mail; the error code when SES refuses it, else None. Raises Unavailable.

        Without an address it sends the mail to nobody, so that a caller takes the same time whether
        or not an account has an address. Every refusal is an answer and none an error, because SES
        judges the recipient too: an address that is an identity of the AWS account needs a
        permission, and the simulator has no daily quota.
        """
        body = {"Text": {"Data": text, "Charset": "UTF-8"}}
        simple = {"Subject": {"Data": subject, "Charset": "UTF-8"}, "Body": body}
        try:
            with translate_aws_errors():
                self._client().send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [to or NOBODY]},
                    Content={"Simple": simple},
                )
        except ClientError as error:
            return error_code(error)
        except Unavailable as error:
            if isinstance(error.__cause__, ClientError) and _status(error.__cause__) < SERVER_ERROR:
                return error_code(error.__cause__)
            raise
        return None


def _status(error: ClientError) -> int:
    """The HTTP status of an error of AWS."""
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status
