"""The errors of the API about itself."""

from function.core.errors import NotFound


class NoSuchProblem(NotFound):
    """No problem has this slug."""

    slug, title = "no-such-problem", "No such problem"
    default = "Open the address that `type` of a problem has; GET /openapi.json lists all of them."
