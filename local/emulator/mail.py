"""SES on one machine: the sender is verified without a click, and mails are printed.

Imports the standard library only: it runs in the emulator's process too.
"""

import email
import os
from collections.abc import Callable
from typing import Any

SENDER = "satchel@example.org"
SIMULATOR = "@simulator.amazonses.com"


def verify_sender(client: Any, sender: str) -> None:
    """Create the identity of a sender with a client of SES. The emulator verifies it at once."""
    try:
        client.create_email_identity(EmailIdentity=sender)
    except client.exceptions.AlreadyExistsException:
        return


def mail_printer(terminal: int) -> Callable[[str, list[str], str], None]:
    """A function that prints a mail, given its sender, recipients and MIME message.

    `terminal` is a file descriptor. Mails to the mailbox simulator of SES are not printed.
    """

    def print_mail(sender: str, recipients: list[str], message: str) -> None:
        if any(each.endswith(SIMULATOR) for each in recipients):
            return
        text: Any = email.message_from_string(message).get_payload(decode=True)
        lines = "".join(f"  {line}\n" for line in text.decode().splitlines())
        mail = f"\nMail from {sender} to {', '.join(recipients)}:\n\n{lines}\n"
        os.write(terminal, mail.encode())

    return print_mail
