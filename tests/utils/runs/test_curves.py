"""Which curves stand in which panel of `converge.png`, what it says of them, its limits."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from utils.runs import plot_convergence
from utils.runs.curves import robust_limits

LOSSES = {"d_losses": [[0.0, -2.0, 1.0, 0.5]] * 3, "g_losses": [1.0] * 3}
RELATIVISTIC = {"loss": "relativistic", "penalty": "zero-centred", "batch_size": 16}


def drawn(path, monkeypatch, scores=(), model=RELATIVISTIC, **losses):
    """The figure."""
    figures = []

    def savefig(figure, file, dpi):
        figures.append(figure)
        file.touch()

    monkeypatch.setattr(Figure, "savefig", savefig)
    plot_convergence(path, **LOSSES | losses, scores=scores, model=model)
    return figures[0]


def panels(*arguments):
    """The curves of each panel by their labels."""
    return [{line.get_label(): line for line in axis.lines} for axis in drawn(*arguments).axes]


def said(figure):
    return " ".join(text.get_text() for text in figure.texts)


def test_held_back_images_stand_beside_the_scores_of_the_losses(tmp_path, monkeypatch):
    critic = {"critic_training": 2.0, "critic_generated": -1.0}
    rows = [
        {"epoch": epoch, "diversity_ratio": 0.5, "swd": 3.0, "critic_held_back": score} | critic
        for epoch, score in ((0, 1.5), (2, -0.5))
    ]
    _, scores, _, _, larger, smaller = panels(tmp_path / "a.png", monkeypatch, rows)
    assert scores["held-back images"].get_xydata().tolist() == [[0, 1.5], [2, -0.5]]
    assert {*larger} == {"diversity_ratio"} and {*smaller} == {"swd (1 = 3)"}


def test_without_held_back_images_there_is_no_such_curve(tmp_path, monkeypatch):
    rows = [{"epoch": 0, "diversity_ratio": 0.5}]
    for scores in (rows, []):
        curves = panels(tmp_path / "a.png", monkeypatch, scores)
        assert len(curves) == (6 if scores else 4) and "held-back images" not in curves[1]


def test_the_texts_fit_the_loss(tmp_path, monkeypatch):
    wasserstein = said(drawn(tmp_path / "a.png", monkeypatch, model={}))
    assert "Wasserstein estimate" in wasserstein and "settles near 3" in wasserstein
    relativistic = said(drawn(tmp_path / "a.png", monkeypatch))
    assert "Wasserstein" not in relativistic and "settles" not in relativistic
    assert "may rise while the images improve" in relativistic and "0.69" in relativistic


def test_a_lost_critic_is_named(tmp_path, monkeypatch):
    swing = [[0.0, -((-1.0) ** epoch), 0.0, 0.1] for epoch in range(400)]
    clear = [[0.0, -4 - (-1.0) ** epoch, 0.0, 0.1] for epoch in range(400)]
    for rows, named in ((swing, True), (clear, False), (swing[:399], False)):
        figure = drawn(tmp_path / "a.png", monkeypatch, d_losses=rows, g_losses=[1.0] * len(rows))
        assert ("no longer tells real images from generated" in said(figure)) == named


def test_one_spike_does_not_flatten_a_curve(tmp_path, monkeypatch):
    """Of 1,000 gaps from 0 to 1 one is 500; the label says so."""
    gaps = np.linspace(0, 1, 1000)
    gaps[300] = 500.0
    rows = [[0.0, -gap, 0.0, 0.1] for gap in gaps]
    figure = drawn(tmp_path / "a.png", monkeypatch, d_losses=rows, g_losses=[1.0] * 1000)
    low, high = figure.axes[0].get_ylim()
    assert -0.2 < low < 0.05 and 0.95 < high < 1.2
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert "all values: 0 to 500" in labels
    assert not [x for x in (line.get_label() for line in figure.axes[2].lines) if "values" in x]


def test_limits_by_hand():
    """Percentiles 1 and 99 of 0…100 are 1 and 99; 8 % of 98 is space. The end is 99: 98 to 100."""
    assert robust_limits([np.arange(101.0)]) == pytest.approx((1 - 7.84, 99 + 7.84))
    # A late fall is shown, as the mean of the last fortieth counts.
    late = np.append(np.arange(101.0)[::-1], [-50.0] * 2)
    assert robust_limits([late])[0] < -20
    assert robust_limits([np.array([2.0, 2.0])]) == pytest.approx((1.9, 2.1))
    assert robust_limits([np.array([0.0])]) == pytest.approx((-0.05, 0.05))
    low, high = robust_limits([np.array([0.0, 0.1, 10.0])], log=True)
    assert 0.05 < low < 0.1 and 10 < high < 20
    assert robust_limits([np.zeros(5)], log=True) is None and robust_limits([]) is None
