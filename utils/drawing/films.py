"""Frames to a film: MP4, GIF or a folder of PNGs, one frame in memory at a time."""

import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from tqdm.auto import tqdm

from utils.files import check_new_folder, new_folder, replacing
from utils.images import as_rgb, save_picture

FORMATS = (".mp4", ".gif")

_H264 = {
    "codec": "libx264",
    "output_params": [
        # An even number of pixels, which H.264's colours need, and colours that players show as
        # they were drawn: what is not said is guessed from the size.
        *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-crf", "16", "-preset", "medium", "-movflags", "+faststart"),
    ],
}
_GIF = {
    "codec": "gif",
    "pix_fmt_out": "pal8",
    "output_params": [
        # A palette for each frame: one for all would have to see them all first.
        *(
            "-vf",
            "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=none",
        ),
        *("-loop", "0"),
    ],
}


def check_format(path: str | os.PathLike) -> Path:
    """The path of a film, if one can be written there.

    Raises:
        ValueError: a suffix that is no format, or a folder that holds anything.
    """
    path = Path(path)
    if path.suffix and path.suffix.lower() not in FORMATS:
        raise ValueError(
            f"{path}: expected a film that ends in {' or '.join(FORMATS)}, or a new folder for "
            "frames, without a suffix"
        )
    if path.suffix and path.is_dir():
        raise ValueError(f"{path}: is a folder; expected the name of a film")
    if not path.suffix:
        check_new_folder(path)
    return path


def write_film(
    path: str | os.PathLike,
    frames: Iterable[np.ndarray],
    count: int,
    fps: float,
    save_frame: Callable[[Path, np.ndarray], None] = save_picture,
) -> None:
    """Writes a film, with a progress bar.

    Args:
        path: `.mp4` (H.264, as every player and browser knows it), `.gif` (repeats for ever; 256
            colours a frame), or no suffix: a folder with `frame_00000.png` and so on.
        frames: uint8 (H, W, 1 or 3), all of one size.
        count: how many there are, for the progress bar.
        fps: frames per second; a GIF's are rounded to hundredths of a second.
        save_frame: writes one PNG of a folder, called with its path and the frame.

    Raises:
        ValueError: as `check_format`, or no frames.
        OSError: the disk is full or read-only; what stood at `path` is untouched.
    """
    path = check_format(path)
    with tqdm(frames, total=count, unit=" images", desc=path.name, dynamic_ncols=True) as bar:
        frames = iter(bar)
        first = next(frames, None)
        if first is None:
            raise ValueError(f"{path}: a film needs at least one frame")
        frames = itertools.chain([first], frames)
        if path.suffix:
            with replacing(path) as beside:
                _encode(beside, first, frames, fps)
            return
        with new_folder(path) as folder:
            for number, frame in enumerate(frames):
                save_frame(folder / f"frame_{number:05}.png", frame)


def _encode(path, first, frames, fps):
    height, width, _ = first.shape
    settings = _GIF if path.suffix.lower() == ".gif" else _H264
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=fps,
        macro_block_size=1,
        quality=None,
        ffmpeg_log_level="error",
        **settings,
    )
    try:
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(as_rgb(frame[None])[0]))
    finally:
        writer.close()
