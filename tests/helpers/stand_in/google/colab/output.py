"""Shows pages of the kernel in a cell."""

from google.colab import record


def serve_kernel_port_as_iframe(
    port, path="/", width="100%", height="400", cache_in_notebook=False
):
    record("iframe", port, path, width, height)
