"""Run folders: which generator is the newest."""

import os

from utils.runs import find_generators, newest_generator


def generator(root, name, date):
    (root / name).mkdir()
    (root / name / "generator.h5").touch()
    os.utime(root / name / "generator.h5", (date, date))


def test_generators_that_come_along_are_older_than_all_others(tmp_path):
    """A checkout dates them anew, so a clone or an update must not hide what the user trained."""
    generator(tmp_path, "0000_lines64", 2000)
    generator(tmp_path, "0000_lines128", 3000)
    assert newest_generator(tmp_path).parent.name == "0000_lines64"
    generator(tmp_path, "0001_mine", 1000)
    generator(tmp_path, "0002_mine", 900)
    assert newest_generator(tmp_path).parent.name == "0001_mine"
    names = [path.parent.name for path in find_generators(tmp_path)]
    assert names == ["0001_mine", "0002_mine", "0000_lines64", "0000_lines128"]
