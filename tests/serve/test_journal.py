"""A change that was flushed survives a crash, and a change that was half written does not."""

from contextlib import closing
from pathlib import Path

import pytest

from local.emulator.journal import Journal, exit_if_disk_failed, write_durably


def test_changes_are_read_in_their_order(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "rows")) as journal:
        for item in ({"n": 1}, None, {"n": "é\n"}):
            journal.add("table", "partition", "sort", item)
            journal.flush()
        assert [change[3] for change in journal.changes()] == [{"n": 1}, None, {"n": "é\n"}]
        journal.clear()
        assert (journal.size, list(journal.changes())) == (0, [])
        journal.add("table", "partition", "sort", {"n": 2})
        journal.flush()
        assert list(journal.changes()) == [["table", "partition", "sort", {"n": 2}]]


def test_a_change_is_not_on_disk_before_a_flush(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "rows")) as journal:
        journal.add("table", "partition", "sort", {})
        assert journal.size == 0


def test_a_truncated_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with closing(Journal(path)) as journal:
        for number in range(2):
            journal.add("table", "partition", str(number), {})
            journal.add("table", "partition", f"{number} too", {})
            journal.flush()
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        with closing(Journal(path)) as journal:
            assert [change[2] for change in journal.changes()] == ["0", "0 too"]


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_durably(str(path), "old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(1, "no")))
    with pytest.raises(OSError, match="no"):
        write_durably(str(path), b"new")
    assert path.read_text() == "old"


def test_a_full_disk_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    exit_if_disk_failed(OSError(28, "No space left on device"))
    exit_if_disk_failed(OSError(36, "File name too long"))
    assert ended == [74]
