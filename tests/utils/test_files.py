"""Files and folders that are complete or absent."""

import os
import subprocess
import sys

import pytest

from utils.files import delete_unfinished, new_folder, read_json, read_text, replacing


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("text")
        assert partial.suffix == ".txt" and not path.exists()
    assert path.read_text() == "text" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError("of a library")])
def test_an_older_file_stays_if_writing_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error if isinstance(error, type) else OSError), replacing(path) as partial:
        partial.write_text("new")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_disk_names_the_file(tmp_path):
    path = tmp_path / "a.txt"
    with (
        pytest.raises(OSError, match=r"a\.txt could not be written \(No space left on device\);"),
        replacing(path),
    ):
        raise OSError(28, "no space")


def test_an_error_of_the_disk_names_the_folder_or_the_file_in_it(tmp_path):
    path = tmp_path / "film"
    with (
        pytest.raises(OSError, match=r"film could not be written \(No space left on device\);"),
        new_folder(path),
    ):
        raise OSError(28, "no space")
    with (
        pytest.raises(OSError, match=r"/film/a\.png could not be written \(No space left"),
        new_folder(path) as partial,
        replacing(partial / "a.png"),
    ):
        raise OSError(28, "no space")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", [False, True])
def test_a_folder_appears_when_it_is_complete(tmp_path, old):
    path = tmp_path / "folder"
    if old:
        path.mkdir()
    with new_folder(path) as partial:
        (partial / "a.txt").write_text("text")
        assert path.exists() == old
    assert [file.name for file in path.iterdir()] == ["a.txt"]
    with pytest.raises(ValueError, match="folder: is there already"), new_folder(path):
        pass
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_killed_processes_left_is_deleted_and_nothing_else(tmp_path, dead):
    living = os.getppid()
    stay = [
        "images",
        "a.part",
        ".hidden",
        ".notes.part",
        f"images/.b.{living}.part.png",
        f".frames.{living}.part",
    ]
    for folder in ("images", f".frames.{living}.part", f".frames.{dead}.part"):
        (tmp_path / folder).mkdir()
    for name in (*stay[1:5], f".a.{dead}.part.h5", f"images/.b.{dead}.part.png"):
        (tmp_path / name).touch()
    (tmp_path / f".frames.{dead}.part" / "frame_00000.png").touch()
    delete_unfinished(tmp_path)
    assert names(tmp_path) == sorted(stay)


def test_what_killed_processes_left_is_deleted_where_files_are_written(tmp_path, dead):
    (tmp_path / f".walk.{dead}.part.mp4").touch()
    (tmp_path / f".frames.{dead}.part").mkdir()
    with replacing(tmp_path / "other.txt") as partial:
        partial.write_text("text")
    assert names(tmp_path) == ["other.txt"]


def test_a_folder_whose_replacement_was_killed_gets_its_name_back(tmp_path, dead):
    """Between its two renames `new_folder` has moved the old folder away."""
    old = tmp_path / f".web.{dead}.old.part"
    old.mkdir()
    (old / "index.html").write_text("old")
    with pytest.raises(ValueError, match="web: is there already"), new_folder(tmp_path / "web"):
        pass
    assert (tmp_path / "web" / "index.html").read_text() == "old"
    assert names(tmp_path) == ["web", "web/index.html"]


def test_a_text_that_somebody_else_put_there(tmp_path):
    (tmp_path / "a.txt").write_text("é", encoding="utf-8")
    assert read_text(tmp_path / "a.txt") == "é"
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(ValueError, match=f"{name}: a link or a device; expected a file"):
            read_text(tmp_path / name)
    with pytest.raises(ValueError, match="a folder; expected a file"):
        read_text(tmp_path)
    with open(tmp_path / "large", "wb") as file:
        file.truncate((1 << 26) + 1)
    with pytest.raises(ValueError, match="large: 67108865 bytes, more than 67108864"):
        read_text(tmp_path / "large")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(tmp_path / "deep.json")
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    with pytest.raises(ValueError, match="utf-8"):
        read_json(tmp_path / "latin.json")
