"""From the photographs that ship with matplotlib to new images."""

import json
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from models.recipe import Options
from models.WGANGP import WGANGP
from tests.helpers.scripts import run_here
from tests.helpers.small import TINY
from utils.loaders import load_images

SAMPLES = Path(matplotlib.get_data_path()) / "sample_data"


def test_photographs_and_drawings_from_preparing_to_evaluation(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = f"utils.prepare {SAMPLES} --out mine.zip --size 16 --crop tiles"
    assert run_here(line.split(), monkeypatch) == 0
    assert "mine.zip: " in capsys.readouterr().out and Path("mine.report.html").exists()
    stream = load_images("mine.zip", 16, 4)
    assert len(stream.source) > 100
    run = tmp_path / "run"
    options = {"print_every_n_batches": 4, "n_critic": 1, "rows": 2, "columns": 4}
    WGANGP(**TINY, augment="flip").train(
        stream, 4, 5, run, options=Options(evaluate_every=4, **options)
    )
    real = np.asarray(Image.open(run / "images" / "real.png"))
    assert len(np.unique(real.reshape(-1, 3), axis=0)) > 200  # colours: no lines
    line = f"evaluate.py --generator {run}/generator.h5 --data mine.zip --count 20 --json f.json"
    assert run_here(line.split(), monkeypatch) == 0
    figures = json.loads(Path("f.json").read_text())
    assert figures["nearest_median"] > 2 and "validity" not in figures
