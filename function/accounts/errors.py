"""Problems of registration and invitations.

Forbidden 403                   Conflict 409
├── RegistrationClosed          └── UsernameTaken
└── WrongSetupToken
NotFound 404
└── NoSuchInvite
"""

from function.core.errors import Conflict, Forbidden, NotFound


class RegistrationClosed(Forbidden):
    """The deployment allows nobody to register, or only with an invitation."""

    slug, title = "registration-closed", "Registration is closed"
    default = "Nobody can register here, not even with an invitation."


class WrongSetupToken(Forbidden):
    """The configured administrator's name is reserved for the holder of the setup token."""

    slug, title = "wrong-setup-token", "Setup token required"
    default = (
        "This name is reserved for the administrator. Send the value of the setting "
        "administratorToken as setup_token, or choose another name."
    )


class NoSuchInvite(NotFound):
    """No valid invitation has that token or id."""

    slug, title = "no-such-invite", "No such invitation"
    default = (
        "It may have been used, deleted or expired, or the account that created it is no longer "
        "an administrator's. Ask for another one."
    )


class UsernameTaken(Conflict):
    """Another account has that user name."""

    slug, title = "username-taken", "User name taken"
    default = "Another account has that user name. Choose another one."
