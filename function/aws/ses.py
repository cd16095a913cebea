"""E-mail through Amazon SES."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors

# SES's mailbox simulator accepts mail and delivers it to nobody, in the time of any other mail.
NOBODY = "success@simulator.amazonses.com"
# SES's codes for an address that it does not take, or that a sandboxed account has not verified.
REFUSAL_CODES = frozenset({"BadRequestException", "MessageRejected"})


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

    def send(self, to: str | None, subject: str, text: str) -> bool:
        """Sends a mail; False when SES does not take it. Raises Unavailable.

        Without an address it sends the mail to nobody, so that a caller takes the same time whether
        or not an account has an address.
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
            if error_code(error) in REFUSAL_CODES:
                return False
            raise
        return True
