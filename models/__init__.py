"""The WGAN-GP: algorithm, networks, presets, checkpoints and the engines of the frameworks."""
