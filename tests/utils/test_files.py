"""Files and folders that are complete or absent."""

import pytest

from utils.files import delete_unfinished, new_folder, replacing


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


def test_files_of_killed_processes_are_deleted_and_no_others(tmp_path):
    (tmp_path / "images").mkdir()
    stay = [tmp_path / "a.part", tmp_path / ".hidden"]
    for file in (*stay, tmp_path / ".a.7.part.h5", tmp_path / "images" / ".b.8.part.png"):
        file.touch()
    delete_unfinished(tmp_path)
    assert sorted(f for f in tmp_path.rglob("*") if f.is_file()) == sorted(stay)
