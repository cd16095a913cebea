"""Problems of folder moves."""

from function.core.errors import NotFound


class NoSuchJob(NotFound):
    """The caller has no job of that id."""

    slug, title = "no-such-job", "No such job"
    default = "PATCH /file returns the id of a job; 90 days after its start the job expires."
