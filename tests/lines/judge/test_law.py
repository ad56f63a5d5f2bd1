"""Measures of scenes, computed by hand."""

import math

import numpy as np
import pytest

from lines.judge.law import expected_coverage, measure_scenes, scene_hashes

NO_TRAINING_SET = np.zeros(0, np.uint64)


def test_measures_equal_those_computed_by_hand():
    scenes = np.array(
        [
            [(0, 0), (0, 0), (4, 1)],
            [(0, 0), (1, 0), (5, 1)],
            [(4, 1), (2, 2), (6, 3)],
            [(4, 2), (3, 2), (7, 3)],
        ]
    )
    measures = measure_scenes(scenes, 8, 1, scene_hashes(scenes[:1], 8, 1))
    assert measures["colour_tv_vertical"] == pytest.approx(0.25)  # 2, 1, 1, 0 of 1 each
    assert measures["colour_chi2_vertical"] == pytest.approx(2)
    assert measures["colour_tv_horizontal"] == measures["colour_chi2_horizontal"] == 0
    # Half are at 0 and half at 4: the share is too large by 3, 2, 1, 0, 3, 2, 1, 0 eighths.
    assert measures["position_ks_vertical"] == pytest.approx(3 / 8)
    assert measures["position_w1_vertical"] == pytest.approx(12 / 8)
    assert measures["position_ks_horizontal"] == measures["position_w1_horizontal"] == 0
    assert measures["coverage_vertical"] == 3 / 32
    assert measures["coverage_horizontal"] == 8 / 32
    # The colour of the lower horizontal line follows from that of the upper one.
    assert measures["independence_colours_horizontal"] == pytest.approx(1)
    # Vertical white goes with 0 and 1, yellow and red with 2 and 3: χ² = 8 of 8 lines, 2 degrees.
    assert measures["independence_colours"] == pytest.approx(math.sqrt(8 / 8 / 2))
    assert measures["novelty"] == 0.75 and measures["duplicates"] == 0
    twice = measure_scenes(scenes[[0, 1, 0, 0]], 8, 1, NO_TRAINING_SET)
    assert twice["duplicates"] == 0.5 and twice["novelty"] == 1
    assert expected_coverage(2, 8) == pytest.approx(1 - (31 / 32) ** 2)


def test_scenes_that_look_alike_have_one_hash():
    alike = [
        [(20, 0), (30, 1), (50, 2)],
        [(20, 0), (50, 2), (30, 1)],  # in the other order, which cannot be seen
    ]
    hidden = [[(20, 0), (30, 1), (30, 2)], [(20, 0), (30, 3), (30, 2)]]
    border = [[(20, 0), (62, 1), (63, 1)], [(20, 0), (62, 1), (62, 1)]]
    overlapping = [[(20, 0), (30, 1), (31, 2)], [(20, 0), (31, 2), (30, 1)]]
    others = [[(21, 0), (30, 1), (50, 2)], [(20, 1), (30, 1), (50, 2)], [(20, 0), (30, 1), (51, 2)]]
    hashes = scene_hashes(np.array(alike + hidden + border + overlapping + others), 64, 3).tolist()
    assert [hashes[i] == hashes[i + 1] for i in (0, 2, 4, 6)] == [True, True, True, False]
    assert len(set(hashes)) == 8
