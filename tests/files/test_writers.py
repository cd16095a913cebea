"""What a right to write gives, and what it does not."""

from tests.support.client import Client
from tests.support.fake_aws import Call, Ground
from tests.support.transfers import stored


def test_a_writer_of_one_file_puts_no_other(alice: Client, bob: Client) -> None:
    """`on_conflict=rename` would make files beside it, at the owner's cost."""
    alice.put("a.txt", b"1")
    alice.post("/share", file_name="a.txt", username="bob", permission="write")
    assert bob.put("a.txt", b"2", username="alice").status == 200
    answer = bob.put("a.txt", b"3", username="alice", on_conflict="rename")
    assert (answer.status, answer.slug) == (409, "file-exists")
    assert alice.names() == ["alice/a.txt"]


def test_a_writer_of_a_folder_puts_files_into_it(alice: Client, bob: Client) -> None:
    """And sees what comes of it, renamed or not, but nothing beside the folder."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    for _ in range(2):
        assert bob.put("in/a.txt", b"1", username="alice", on_conflict="rename").status == 201
    assert bob.names() == ["alice/in/a (1).txt", "alice/in/a.txt"]
    assert bob.put("a.txt", b"1", username="alice").slug == "no-such-file"


def test_a_right_taken_back_before_the_commit_commits_nothing(
    alice: Client, bob: Client, ground: Ground
) -> None:
    """An unshare that was acknowledged holds for a PUT that was already under way."""
    alice.put("a.txt", b"1")
    alice.post("/share", file_name="a.txt", username="bob", permission="write")

    def unshare(call: Call) -> None:
        if call.operation == "PutObject":
            ground.before = lambda _: None
            assert alice.delete("/share", file_name="a.txt", username="bob").status == 204

    ground.before = unshare
    assert bob.put("a.txt", b"2", username="alice").slug == "no-such-file"
    assert alice.read("a.txt").content == b"1"
    assert stored(ground) == [b"1"], "bytes that nobody will ever name are left behind"
