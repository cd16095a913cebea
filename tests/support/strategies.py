"""Hypothesis strategies: names of files as people and programs write them."""

import unicodedata

from hypothesis import strategies as st

from function.core.names import DECEPTIVE, NAME_BYTES, SEGMENT_BYTES

_LETTERS = st.characters(
    exclude_categories=("Cc", "Cs"), exclude_characters="".join(DECEPTIVE) + "\\/"
)
_SIGNS = st.sampled_from(list(" .,;:=&#?%+'\"()[]{}<>|*~$@!^`éÅ日🐎"))


def segments() -> st.SearchStrategy[str]:
    """One segment of a name, in its normal form."""
    texts = st.text(_LETTERS | _SIGNS, min_size=1, max_size=24)
    normal = texts.map(lambda text: unicodedata.normalize("NFC", text))
    return normal.filter(lambda s: s not in {".", ".."} and len(s.encode()) <= SEGMENT_BYTES)


def file_names() -> st.SearchStrategy[str]:
    """Names of files, some of them in folders."""
    names = st.lists(segments(), min_size=1, max_size=4).map("/".join)
    return names.filter(
        lambda n: len(n.encode()) <= NAME_BYTES and unicodedata.is_normalized("NFC", n)
    )
