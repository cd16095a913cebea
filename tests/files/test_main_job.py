"""The main job by HTTP requests: register, log in, put, list, get, share, log out."""

from tests.support.client import Client


def test_two_people_share_a_file(alice: Client, bob: Client) -> None:
    """Bob reads the bytes that Alice put while the file is shared, and neither before nor after."""
    data = bytes(range(256)) * 12_000
    name = "año/résumé (final) #1?.pdf"
    assert alice.put(name, data).status == 201
    assert alice.names() == [f"alice/{name}"]
    assert alice.read(name).content == data
    assert bob.read(name, username="alice").slug == "no-such-file"
    assert alice.post("/share", file_name=name, username="bob").status == 201
    assert bob.names() == [f"alice/{name}"]
    assert bob.read(name, username="alice").content == data
    assert bob.put(name, b"mine", username="alice").slug == "no-such-file"
    for person in (alice, bob):
        assert person.post("/logout").status == 204
        assert person.get("/files").slug == "not-signed-in"
