"""Everything around the model: images, latents, run folders, callbacks."""

import os

# Read by TensorFlow when it is imported. Its banner of processor features helps nobody here, and a
# real error still shows. oneDNN, which it leaves off on some processors, trains 1.25 times as fast.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
