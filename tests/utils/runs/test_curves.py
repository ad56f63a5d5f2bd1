"""Which curves stand in which panel of `converge.png`."""

from matplotlib.figure import Figure

from utils.runs import plot_convergence

LOSSES = {"d_losses": [[0.0, -2.0, 1.0, 0.5]] * 3, "g_losses": [1.0] * 3}


def panels(path, monkeypatch, scores):
    """The curves of each panel by their labels."""
    figures = []

    def savefig(figure, file, dpi):
        figures.append(figure)
        file.touch()

    monkeypatch.setattr(Figure, "savefig", savefig)
    plot_convergence(path, **LOSSES, scores=scores)
    (figure,) = figures
    return [{line.get_label(): line for line in axis.lines} for axis in figure.axes]


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
        drawn = panels(tmp_path / "a.png", monkeypatch, scores)
        assert len(drawn) == (6 if scores else 4) and "held-back images" not in drawn[1]
