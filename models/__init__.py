"""The WGAN-GP: algorithm, networks, presets, checkpoints and the engines of the frameworks."""

import utils  # noqa: F401 - first of all, as it sets what TensorFlow reads when it is imported
