"""What the right to write a shared file or folder includes."""

from tests.support.client import Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.transfers import stored


def test_a_writer_of_one_file_adds_no_other(alice: Client, bob: Client) -> None:
    """`on_conflict=rename` would add files beside it, on the owner's quota."""
    alice.put("a.txt", b"1")
    alice.post("/share", file_name="a.txt", username="bob", permission="write")
    assert bob.put("a.txt", b"2", username="alice").status == 200
    answer = bob.put("a.txt", b"3", username="alice", on_conflict="rename")
    assert (answer.status, answer.slug) == (409, "file-exists")
    assert alice.names() == ["alice/a.txt"]


def test_a_writer_of_a_folder_adds_files_to_it(alice: Client, bob: Client) -> None:
    """They see those files, renamed or not, and nothing outside the folder."""
    alice.post("/share", file_name="in/", username="bob", permission="write")
    for _ in range(2):
        assert bob.put("in/a.txt", b"1", username="alice", on_conflict="rename").status == 201
    assert bob.names() == ["alice/in/a (1).txt", "alice/in/a.txt"]
    assert bob.put("a.txt", b"1", username="alice").slug == "no-such-file"


def test_a_right_revoked_before_the_commit_commits_nothing(
    alice: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """A PUT in progress does not outlive an acknowledged DELETE /share."""
    alice.put("a.txt", b"1")
    alice.post("/share", file_name="a.txt", username="bob", permission="write")

    def unshare(call: Call) -> None:
        if call.operation == "PutObject":
            fake_aws.before = lambda _: None
            assert alice.delete("/share", file_name="a.txt", username="bob").status == 204

    fake_aws.before = unshare
    assert bob.put("a.txt", b"2", username="alice").slug == "no-such-file"
    assert alice.read("a.txt").content == b"1"
    assert stored(fake_aws) == [b"1"], "bytes that nobody will ever name are left behind"
