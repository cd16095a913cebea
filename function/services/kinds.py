"""What sort of file a name says it is, and whether that is one of those that are taken."""

from collections.abc import Iterable

from function.media_types import extension_of, suggested_type


def allowed(types: Iterable[str], name: str, said: str | None = None) -> bool:
    """Whether a file is of one of the types: by its name, which tells what will open it.

    A type is an extension such as `.pdf`, or a media type whose second half may be `*`.
    """
    folded = name.casefold()
    kind = bare(type_of(name, said) or "")
    whole = f"{kind.partition('/')[0]}/*"
    return any(folded.endswith(each) if each[0] == "." else each in {kind, whole} for each in types)


def type_of(name: str, said: str | None = None) -> str | None:
    """The type that a file is judged by: what its name suggests, and None where that is unknown.

    What is `said` of it counts where the name has no extension, and for parameters beside.
    """
    suggested = suggested_type(name)
    if suggested:
        return said if said and bare(said) == suggested else suggested
    return None if extension_of(name) else said


def bare(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].strip().lower()
