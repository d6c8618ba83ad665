"""The demo's folder may be one that holds other things."""

from pathlib import Path

from crmsdk.demo.showing import _clear


def test_only_what_the_demo_wrote_is_removed(tmp_path: Path) -> None:
    own = ("import.db", "week.db", "week.db-wal", "week.db-shm", "report.html")
    others = ("report.html.bak", "import.db.backup", "week.dbx", "notes.txt")
    for name in (*own, *others):
        (tmp_path / name).touch()
    _clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(others)
    _clear(tmp_path)
