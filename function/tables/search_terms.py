"""What an account's files are found by: a row for each word, tag and kind of each file.

They stand on the shelf `<owner>/terms`, under the term and then the file's name, and change in the
commit that changes the file. So a search reads what it finds, however many files there are.
"""

import re
import unicodedata

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key
from function.contract import FILES
from function.core.media_types import kind_of
from function.tables.files import FileRow

TERMS = "terms"
BETWEEN = "\0"  # no name holds it
# A file changes in one transaction of a hundred writes, its rename writes every term twice.
MOST_WORDS = 8
TERM_BYTES = 100  # with a name and what else there is, within the 1,024 of a sort key
WORD, TAG, KIND, SIZE, MODIFIED, LEVEL = "w:", "#:", "k:", "s:", "m:", "l:"


def fold_text(text: str) -> str:
    """Text without case and accents: Unicode's compatibility decomposition and case folding."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def words_of(text: str) -> list[str]:
    """The words of a text, folded, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"[^\W_]+", fold_text(text))))


def named_words(name: str) -> list[str]:
    """The words that a file is found by: those of its own name before those of its folders."""
    folder, _, last = name.rpartition("/")
    return list(dict.fromkeys([*words_of(last), *words_of(folder)]))[:MOST_WORDS]


def cut_term(term: str) -> str:
    """As much of a term as its row holds; what is found by it is compared with the whole."""
    return term.encode()[:TERM_BYTES].decode(errors="ignore")


def size_term(size: int) -> str:
    """A file's size, so written that texts stand in the order of numbers."""
    return f"{size:015}"


def terms_of(row: FileRow) -> frozenset[str]:
    """The sort keys of a file's terms."""
    folder, slash, last = row.name.rpartition("/")
    by_name = [
        *(WORD + cut_term(word) for word in named_words(row.name)),
        *(TAG + cut_term(fold_text(tag)) for tag in row.tags),
        KIND + kind_of(row.content_type),
        SIZE + size_term(row.size),
        MODIFIED + row.modified,
    ]
    level = f"{LEVEL}{folder}{slash}{BETWEEN}{last}"
    return frozenset([level, *(each + BETWEEN + row.name for each in by_name)])


def term_key(owner: str, term: str) -> Key:
    """Where a term of a file stands."""
    return Key(FILES, f"{owner}/{TERMS}", term)


class SearchTerms:
    """The shelves of terms."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_terms(
        self, owner: str, begins: str, *, after: str, limit: int, falling: bool
    ) -> tuple[list[str], bool]:
        """The next terms that begin so, in one call, and whether there are more."""
        shelf = f"{owner}/{TERMS}"
        page = self._db.query(
            FILES,
            shelf,
            prefix=begins,
            after=after,
            limit=limit,
            descending=falling,
            single_call=True,
        )
        return [str(row["name"]) for row in page.items], page.more
