"""SES on one machine: its sender needs nobody to verify it, and mails are printed.

Imports the standard library; the emulator's own process uses it too.
"""

import email
import os
from collections.abc import Callable
from typing import Any

SENDER = "satchel@example.org"
NOBODY = "@simulator.amazonses.com"


def know(client: Any, sender: str) -> None:
    """Have SES take mail from an address, as it does once its owner has clicked on a link."""
    try:
        client.create_email_identity(EmailIdentity=sender)
    except client.exceptions.AlreadyExistsException:
        return


def shown_on(terminal: int) -> Callable[[str, list[str], str], None]:
    """What prints a mail on a terminal, by its descriptor; but not what goes to nobody."""

    def show(sender: str, to: list[str], message: str) -> None:
        if any(each.endswith(NOBODY) for each in to):
            return
        text: Any = email.message_from_string(message).get_payload(decode=True)
        lines = "".join(f"  {line}\n" for line in text.decode().splitlines())
        said = f"\nMail from {sender} to {', '.join(to)}:\n\n{lines}\n"
        os.write(terminal, said.encode())

    return show
