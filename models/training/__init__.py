"""Hours instead of steps: the loop, checkpoints, the files of a run, memory."""
