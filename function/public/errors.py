"""Problems of the passwords of links and file requests.

Unauthenticated 401
├── PasswordRequired
└── WrongPassword
"""

from function.core.errors import Unauthenticated


class PasswordRequired(Unauthenticated):
    """The link or file request has a password, and the request brought no valid access token."""

    slug, title = "password-required", "Password required"
    default = "POST the password to …/unlock, and send the access token (`grant`) that it returns."


class WrongPassword(Unauthenticated):
    """The password is not that of the link or file request."""

    slug, title = "wrong-password", "Wrong password"
    advice = "Check it with the person who sent you the address."
    refusal = "access.refused"
