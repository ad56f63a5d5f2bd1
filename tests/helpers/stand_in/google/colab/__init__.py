"""Stands in for Colab's own package: a line of JSON in `COLAB_ASKED` for everything asked of it."""

import json
import os


def record(*asked):
    with open(os.environ["COLAB_ASKED"], "a") as file:
        file.write(json.dumps(asked) + "\n")
