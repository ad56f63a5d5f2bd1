"""Critic and generator as Keras models, and the numbers that they are made from."""
