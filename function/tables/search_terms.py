"""The search index in the table files: a row for each word, tag, kind and order of a file.

The rows form the partition `<owner>/terms`, sorted by the term and then by the file's name, and
change in the commit that changes the file. So a search reads the files that it finds, and a sorted
list its page, however many files there are.
"""

import re
import unicodedata

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Key
from function.contract import FILES
from function.core.limits import MAX_WORDS
from function.core.media_types import kind_of
from function.tables.files import FileRow

TERMS = "terms"
SEPARATOR = "\0"  # between a term and the file's name; no name contains it
TERM_BYTES = 100  # with the name within the 1,024 bytes of a sort key
# The kinds of terms: words of the name, tags, kinds of media, and the orders of sorted lists. LEVEL
# lists the files right in one folder.
WORD, TAG, KIND, SIZE, MODIFIED, LEVEL = "w:", "#:", "k:", "s:", "m:", "l:"


def fold_text(text: str) -> str:
    """Text without case and accents: Unicode's compatibility decomposition and case folding."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def words_of(text: str) -> list[str]:
    """The words of a text, folded, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"[^\W_]+", fold_text(text))))


def named_words(name: str) -> list[str]:
    """The indexed words of a file's name, those of the last segment before those of its folders.

    They are few, because one transaction changes a file, and its rename writes each term twice.
    """
    folder, _, last = name.rpartition("/")
    return list(dict.fromkeys([*words_of(last), *words_of(folder)]))[:MAX_WORDS]


def cut_term(term: str) -> str:
    """The part of a term that its row stores; a search compares the whole term with the file."""
    return term.encode()[:TERM_BYTES].decode(errors="ignore")


def size_term(size: int) -> str:
    """A file's size in bytes, padded so that the order of texts is the order of sizes."""
    return f"{size:015}"


def terms_of(row: FileRow) -> frozenset[str]:
    """The sort keys of a file's rows in the index."""
    folder, slash, last = row.name.rpartition("/")
    terms = [
        *(WORD + cut_term(word) for word in named_words(row.name)),
        *(TAG + cut_term(fold_text(tag)) for tag in row.tags),
        KIND + kind_of(row.content_type),
        SIZE + size_term(row.size),
        MODIFIED + row.modified,
    ]
    level = f"{LEVEL}{folder}{slash}{SEPARATOR}{last}"
    return frozenset([level, *(term + SEPARATOR + row.name for term in terms)])


def term_key(owner: str, term: str) -> Key:
    """The key of a row in the index."""
    return Key(FILES, f"{owner}/{TERMS}", term)


class SearchTerms:
    """Queries of the search index."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_terms(
        self, owner: str, prefix: str, *, after: str, limit: int, descending: bool
    ) -> QueryPage[str]:
        """The sort keys that begin with `prefix`, after the key `after`, in one call."""
        page = self._db.query(
            FILES,
            f"{owner}/{TERMS}",
            prefix=prefix,
            after=after,
            limit=limit,
            descending=descending,
            single_call=True,
        )
        return page.map(lambda item: str(item["name"]))
