"""What a generator learned from: known by its fingerprint, never by a path."""

import shutil

import pytest

from lines.dataset import write_zip
from utils.quality.data import learned_from
from utils.runs import Origin
from utils.sources import ImageFiles


def sketch(path, size, weight):
    """20 images in place of 10,000."""
    write_zip(path, count=20, size=size, weight=weight)


def origin(path, rules=2, data=None):
    return Origin("0001_x", data or path.name, ImageFiles(path, rules=rules).fingerprint, "")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.parametrize("rules", [1, 2])
def test_the_data_of_the_sketch_are_known_wherever_they_are(tmp_path, rules):
    sketch(tmp_path / "lines16.zip", 16, 3)
    found = learned_from("g.h5", origin(tmp_path / "lines16.zip", rules), 16, (1, 3), sketch)
    assert found == (None, 3)


def test_output_zip_is_known_by_its_fingerprint_whatever_it_holds(tmp_path):
    sketch(tmp_path / "output.zip", 32, 5)
    known = origin(tmp_path / "output.zip", data="renamed by a stranger")
    shutil.copy(tmp_path / "output.zip", "output.zip")
    data, weight = learned_from("g.h5", known, 16, (1, 3), sketch)
    assert str(data) == "output.zip" and weight is None


def test_other_images_must_be_named(tmp_path):
    (tmp_path / "here" / "output.zip").write_text("no zip")
    sketch(tmp_path / "mine.zip", 16, 3)
    for size, weights in ((16, (1,)), (8, (3,))):
        message = "g.h5 learned from mine.zip, which is neither output.zip here nor what python -m"
        with pytest.raises(ValueError, match=message):
            learned_from("g.h5", origin(tmp_path / "mine.zip"), size, weights, sketch)
    with pytest.raises(ValueError, match=r"g\.h5: nothing in its folder says what it learned from"):
        learned_from("g.h5", Origin("", "", "", ""), 16, (1,), sketch)


@pytest.mark.parametrize(
    "name", ["../mine.zip", "/etc/x.zip", "..", ".zip", "a/b.zip", "é.zip", "x"]
)
def test_no_path_that_a_run_names_is_opened(name, tmp_path):
    def never(*arguments, **options):
        raise AssertionError("drawn")

    stranger = Origin("0001_x", name, "2-" + "0" * 16, "")
    with pytest.raises(ValueError, match="name those images with --data"):
        learned_from("g.h5", stranger, 16, (1,), never)
