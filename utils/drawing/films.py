"""Frames to a film: MP4, GIF or a folder of PNGs, one frame in memory at a time."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from tqdm.auto import tqdm

from utils.drawing.provenance import Provenance
from utils.files import check_new_folder, new_folder, replacing
from utils.images import as_rgb, save_picture

FORMATS = (".mp4", ".gif")

_H264 = {
    "codec": "libx264",
    "output_params": [
        # H.264 needs an even number of pixels. Players guess a colour space that is not named from
        # the size of the film, so it is named: then colours look as they were drawn.
        *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-crf", "16", "-preset", "medium", "-movflags", "+faststart"),
    ],
}
_GIF = {
    "codec": "gif",
    "pix_fmt_out": "pal8",
    "output_params": [
        # A palette for each frame: one palette for all would need all frames in memory.
        *(
            "-vf",
            "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=none",
        ),
        *("-loop", "0"),
    ],
}


def check_format(path: str | os.PathLike) -> Path:
    """Returns the path of a film if a film can be written there.

    Raises:
        ValueError: the suffix is no known format, or a folder with content is in the way.
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
    path: str | os.PathLike, frames: Iterable[np.ndarray], count: int, fps: float
) -> None:
    """Writes a film, with a progress bar.

    Args:
        path: `.mp4` (H.264, which every player and browser knows), `.gif` (repeats for ever; 256
            colours a frame), or no suffix: a folder with `frame_00000.png` and so on.
        frames: uint8 (H, W, 1 or 3), all of one size.
        count: number of frames, for the progress bar.
        fps: frames per second; a GIF's are rounded to hundredths of a second per frame.

    Raises:
        ValueError: as `check_format`, or there are no frames.
        OSError: the disk is full or read-only; a file at `path` stays as it was.
    """
    with open_film(path, fps) as add:
        for frame in progress(frames, count, path):
            add(frame)


def progress(frames: Iterable, count: int, path: str | os.PathLike) -> Iterable:
    """`frames`, with a progress bar that names the film."""
    return tqdm(frames, total=count, unit=" images", desc=Path(path).name, dynamic_ncols=True)


@contextlib.contextmanager
def open_film(path: str | os.PathLike, fps: float) -> Iterator[Callable[..., None]]:
    """Opens a film for writing; it appears at `path` when the block has succeeded.

    Yields:
        `add(picture, provenance=None)`, to be called for each frame. A folder's PNGs carry the
        provenance; MP4 and GIF have no place for it.

    Raises:
        ValueError, OSError: as `write_film`.
    """
    path = check_format(path)
    with replacing(path) if path.suffix else new_folder(path) as unfinished:
        frames = _Video(unfinished, fps) if path.suffix else _Pngs(unfinished)
        try:
            yield frames.add
            if not frames.count:
                raise ValueError(f"{path}: a film needs at least one frame")
        finally:
            frames.close()


class _Pngs:
    """A folder of frames."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.count = 0

    def add(self, picture: np.ndarray, provenance: Provenance | None = None) -> None:
        save = provenance.save if provenance else save_picture
        save(self.folder / f"frame_{self.count:05}.png", picture)
        self.count += 1

    def close(self) -> None:
        pass


class _Video:
    """An MP4 or GIF, encoded by ffmpeg, which starts with the first frame and its size."""

    def __init__(self, path: Path, fps: float):
        self.path = path
        self.fps = fps
        self.count = 0
        self.writer = None

    def add(self, picture: np.ndarray, provenance: Provenance | None = None) -> None:
        if not self.count:
            self._start(*picture.shape[:2])
        self.writer.send(np.ascontiguousarray(as_rgb(picture[None])[0]))
        self.count += 1

    def _start(self, height, width):
        settings = _GIF if self.path.suffix.lower() == ".gif" else _H264
        self.writer = imageio_ffmpeg.write_frames(
            str(self.path),
            (width, height),
            fps=self.fps,
            macro_block_size=1,
            quality=None,
            ffmpeg_log_level="error",
            **settings,
        )
        self.writer.send(None)

    def close(self) -> None:
        if self.writer:
            self.writer.close()
