"""The judge of line images: pixels to scenes, and how far those are from the law of the sketch."""

from lines.judge.judge import LineJudge as LineJudge
from lines.judge.judge import judge_for as judge_for
from lines.judge.judge import usual_weight as usual_weight
