"""One's own pictures in a notebook: where they come from, what is made of them and shown."""

import html
import os
import re
import zipfile

import pytest

from tests.helpers.preparing import drawing
from utils.notebook import colab, pictures, views
from utils.notebook.pictures import own_pictures
from utils.prepare import Settings, prepare


@pytest.fixture
def shown(monkeypatch):
    """The reports that were shown."""
    reports = []
    monkeypatch.setattr(pictures, "show_report", reports.append)
    return reports


@pytest.fixture
def root(tmp_path):
    return tmp_path / "drive" / "run" / "gan"


def names(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_folder_is_prepared_once_as_the_command_does(source, root, shown, capsys, tmp_path):
    for seed in range(3):
        drawing(seed).save(source / f"{seed}.png")
    out = own_pictures(source, "0002", 16, root)
    assert out == tmp_path / "drive" / "run" / "data" / "0002" / "source.zip"
    prepare(source, tmp_path / "source.zip", Settings(16))
    assert out.read_bytes() == (tmp_path / "source.zip").read_bytes()
    text = capsys.readouterr().out
    assert "3 squares of 16×16 pixels, RGB" in text and "3 pictures: very few" in text
    assert "train.py" not in text
    (source / "0.png").unlink()  # a session that continues has the images of the run
    assert own_pictures(source, "0002", 16, root) == out and len(names(out)) == 3
    assert "prepared earlier. For other pictures, choose another RUN_ID." in capsys.readouterr().out
    assert shown == 2 * [out.with_name("source.report.html")]
    with pytest.raises(ValueError, match="was prepared for 16 pixels; set IMAGE_SIZE = 16, or"):
        own_pictures(source, "0002", 32, root)
    assert len(names(own_pictures(source, "0003", 32, root))) == 2


def test_pictures_and_one_zip_of_them_are_uploaded(
    source, root, shown, colab_session, tmp_path, monkeypatch
):
    for seed in range(2):
        drawing(seed).save(source / f"{seed}.png")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(source / "1.png", "in/1.png")
    monkeypatch.chdir(source)

    def upload(*files, run_id):
        monkeypatch.setenv("COLAB_UPLOAD", os.pathsep.join(map(str, files)))
        return own_pictures("upload", run_id, 16, root)

    out = upload(source / "0.png", source / "1.png", run_id="0001")
    assert out.name == "mine.zip" and names(out) == ["mine/000000_0.png", "mine/000001_1.png"]
    assert names(upload(tmp_path / "all.zip", run_id="0002")) == ["mine/000000_in_1.png"]
    with pytest.raises(ValueError, match=r"all\.zip was uploaded with other files"):
        upload(tmp_path / "all.zip", source / "0.png", run_id="0003")
    monkeypatch.delenv("COLAB_UPLOAD")
    with pytest.raises(FileNotFoundError, match="run this cell again, or set PICTURES = ''"):
        own_pictures("upload", "0003", 16, root)
    own_pictures("upload", "0001", 16, root)  # continues, and asks for nothing
    assert len(colab_session[1]()) == 4 and {path.name for path in source.iterdir()} == {
        *("0.png", "1.png")
    }


def test_what_is_wrong_is_one_line_that_names_the_setting(source, root, monkeypatch, tmp_path):
    with pytest.raises(OSError, match='PICTURES is "upload", but only Colab uploads files'):
        own_pictures("upload", "0001", 16, root)
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        own_pictures("nowhere", "0001", 16, root)
    with pytest.raises(ValueError, match="expected one name, such as 0002"):
        own_pictures(source, "../0001", 16, root)
    monkeypatch.setattr(pictures, "MOUNT", tmp_path / "mount")
    with pytest.raises(OSError, match="Drive is not mounted: set USE_DRIVE = True"):
        own_pictures(tmp_path / "mount" / "MyDrive" / "mine", "0001", 16, root)
    assert not root.parent.exists()


def test_a_report_is_shown_whole_in_a_frame_without_scripts(source, monkeypatch):
    drawing(1).save(source / "a 'b' & \"c\".png")
    out = source.parent / "mine.zip"
    prepare(source, out, Settings(16))
    shown = []
    monkeypatch.setattr(views, "display", shown.append)
    report = out.with_name("mine.report.html")
    views.show_report(report)
    (frame,) = shown
    attributes, page = re.fullmatch(
        r'<div><iframe (.*) srcdoc="([^"]*)"></iframe></div>', frame.data, re.DOTALL
    ).groups()
    assert html.unescape(page) == report.read_text(encoding="utf-8")
    assert attributes.startswith("sandbox ")


@pytest.mark.parametrize(
    ("device", "in_colab", "expected"),
    [
        (("GPU", "Tesla T4"), True, "GPU: Tesla T4."),
        (("GPU", ""), False, "There is a GPU."),
        (("CPU", ""), True, "No GPU: .* Choose Runtime → Change runtime type → T4 GPU, then .*"),
        (("CPU", ""), False, "No GPU was found: the CPU trains.* docs/training.md says how .*"),
    ],
)
def test_the_device_and_how_to_get_a_gpu(device, in_colab, expected, request):
    if in_colab:
        request.getfixturevalue("colab_session")
    assert re.fullmatch(expected, colab.describe_device(*device))
