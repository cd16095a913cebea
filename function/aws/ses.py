"""Mail through SES."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors

# SES's own address for mail that nobody reads: it is accepted, and takes as long as any other.
NOBODY = "success@simulator.amazonses.com"
# What SES says of one address, or of a sandbox that does not know it.
REFUSED = frozenset({"BadRequestException", "MessageRejected"})


class Mail:
    """One sender's mail."""

    def __init__(self, client: Callable[[], Any], sender: str) -> None:
        """The client is made when there is something to send; `sender` is an address SES knows."""
        self._client = client
        self._sender = sender

    @property
    def configured(self) -> bool:
        """Whether anything can be sent."""
        return bool(self._sender)

    def send(self, to: str | None, subject: str, text: str) -> bool:
        """Sends a mail, or to None one that nobody gets; False when SES does not take it.

        Raises Unavailable.
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
            if error_code(error) in REFUSED:
                return False
            raise
        return True
