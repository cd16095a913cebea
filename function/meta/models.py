"""The answers of the API about itself."""

from function.core.models import Closed, RegistrationPolicy


class Health(Closed):
    """The API answers."""

    status: str
    version: str


class Limits(Closed):
    """The limits of this API: sizes are bytes, times seconds, the password's length code points."""

    small_file_bytes: int
    file_bytes: int
    single_put_bytes: int
    smallest_part_bytes: int
    most_parts: int
    most_parts_signed_at_once: int
    upload_seconds: int
    url_seconds: int
    name_bytes: int
    name_levels: int
    segment_bytes: int
    password_min_length: int
    session_seconds: int
    keep_seconds: int


class Info(Closed):
    """The version, features and limits of this API.

    `administrator_setup` says whether the configured administrator can be registered, with the
    setup token. Without one nobody can be the first administrator.
    """

    version: str
    registration: RegistrationPolicy
    administrator_setup: bool
    features: list[str]
    limits: Limits


class ProblemKind(Closed):
    """A kind of problem: when it is answered (`meaning`), and what to do about it (`advice`)."""

    slug: str
    title: str
    status: int
    meaning: str
    advice: str
