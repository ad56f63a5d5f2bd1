"""Pixels to scene to how far a set of images is from the law of the sketch."""

from lines.judge.judge import LineJudge as LineJudge
from lines.judge.judge import judge_for as judge_for
