"""Lines and configurations for curl, whatever a file is called."""

import shlex

from hypothesis import given

from function.core import curl
from function.uploads import parts
from tests.support import curls
from tests.support.strategies import file_names

URL = "https://b.s3.eu-central-1.amazonaws.com/a/b?X-Amz-Signature=0&response=%22"


@given(file_names())
def test_a_configuration_says_the_name(name: str) -> None:
    """curl reads back the name itself, below the folder where it runs."""
    said = curls.read(curl.config(name, URL))
    assert (said.urls, said.outputs) == ([URL], [f"./{name}"])


@given(file_names())
def test_a_line_says_the_name(name: str) -> None:
    """The shell hands curl the last segment, as one argument that is no option and no pattern."""
    last = name.rpartition("/")[2]
    for line in (curl.get(name, URL), parts.curl_put(name, URL, {"x-h": "it's"})):
        words = shlex.split(line)
        file = words[3]
        assert file in {last, f"./{last}"}
        assert not file.startswith("-")
        assert "g" in words[1]
        assert words[-1] == URL
