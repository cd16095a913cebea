"""A model of how curl reads a configuration file, after its manual (`-K, --config`).

A line is an option, then space, `:` or `=`, then its value. A value in double quotes ends at the
next one that no backslash precedes; within it a backslash makes a quote, a backslash or, before
`t`, `n`, `r` and `v`, white space, and is left out before any other letter. A value without quotes
ends at white space.
"""

import re
from dataclasses import dataclass, field

LINE = re.compile(r"([a-z][a-z-]*)(?:[ \t]*[ \t:=][ \t]*(.*))?")
ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "v": "\v"}
FLAGS = {"globoff", "fail", "silent", "show-error", "create-dirs", "no-clobber"}


@dataclass
class Config:
    """The flags, and the URLs with the files that curl writes."""

    flags: set[str] = field(default_factory=set)
    urls: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def read(text: str) -> Config:
    """Reads a configuration as curl does; an AssertionError where curl would refuse it."""
    config = Config()
    for line in map(str.strip, text.split("\n")):
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        assert match, line
        option, value = match[1], match[2]
        if option in FLAGS:
            assert value is None, line
            config.flags.add(option)
        else:
            said = {"url": config.urls, "output": config.outputs}[option]
            said.append(value_of(value))
            # curl pairs the n-th output with the n-th address
            assert len(config.urls) - len(config.outputs) in {0, 1}, line
    assert len(config.urls) == len(config.outputs)
    return config


def value_of(text: str) -> str:
    """The value of an option, without quotes and escapes."""
    if not text.startswith('"'):
        return text.split(maxsplit=1)[0]
    value, at = "", 1
    while text[at] != '"':
        if text[at] == "\\":
            at += 1
            value += ESCAPES.get(text[at], text[at])
        else:
            value += text[at]
        at += 1
    assert not text[at + 1 :].strip(), text
    return value
