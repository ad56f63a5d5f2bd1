"""PNG bytes: Pillow reads the same pixels back."""

import io

import numpy as np
from PIL import Image

from lines.png import encode_png


def test_any_picture_is_read_back():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(image)))), image)
