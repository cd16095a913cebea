"""The nouns, and the bodies of requests and answers: frozen, and closed to unknown fields.

Imports `fields` and `roles`.
"""

from function.core.models import Closed, Registration


class Health(Closed):
    """It answers."""

    status: str
    version: str


class Limits(Closed):
    """Sizes are bytes, times seconds, lengths code points."""

    small_file_bytes: int
    file_bytes: int
    single_put_bytes: int
    smallest_part_bytes: int
    most_parts: int
    most_parts_signed_at_once: int
    upload_seconds: int
    url_seconds: int
    name_bytes: int
    segment_bytes: int
    password_min_length: int
    session_seconds: int
    keep_seconds: int


class Info(Closed):
    """What this Satchel can do, and up to where."""

    version: str
    registration: Registration
    features: list[str]
    limits: Limits
