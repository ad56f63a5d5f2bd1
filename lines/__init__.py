"""The sketch in Python: scenes of three lines, drawn pixel for pixel as Processing draws them."""
