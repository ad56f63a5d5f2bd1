"""Frames to a film: MP4, GIF or a folder of PNGs, one frame in memory at a time."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from tqdm.auto import tqdm

from utils.drawing.provenance import Provenance
from utils.files import check_new_folder, new_folder, replacing
from utils.images import as_rgb, save_picture
from utils.messages import one_line

FORMATS = (".mp4", ".gif")

_GIF_RATE = 50  # frames per second; shorter delays than 0.02 s count as 0.1 s in browsers
_MOST_PIXELS = 139_264 * 16**2  # of H.264's highest level, 6.2: 8,192 × 4,352

_H264 = (
    *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "16", "-preset", "medium"),
    # H.264 needs an even number of pixels. Players guess a colour space that is not named from the
    # size of the film, so it is named: then colours look as they were drawn.
    *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
    *("-movflags", "+faststart"),
)
_GIF = (
    *("-c:v", "gif", "-pix_fmt", "pal8", "-loop", "0", "-vf"),
    # A palette for each frame: one palette for all would need all frames in memory.
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=none",
)


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


def check_frame(path: str | os.PathLike, width: int, height: int) -> None:
    """Raises ValueError where a film cannot have frames of so many pixels; a folder can."""
    if Path(path).suffix and width * height > _MOST_PIXELS:
        raise ValueError(
            f"{path}: frames of {width}×{height} pixels are too large for a film, which has at "
            f"most {_MOST_PIXELS:,}: choose a smaller scale, or a folder for frames"
        )


def playable_rate(path: str | os.PathLike, fps: float) -> float:
    """The frames per second that a film can have: browsers play a GIF of more than 50 at 10.

    Prints a line where that is not `fps`.
    """
    if Path(path).suffix.lower() != ".gif" or fps <= _GIF_RATE:
        return fps
    print(
        f"{path}: a GIF of {fps:g} frames a second plays at 10 in browsers; written with "
        f"{_GIF_RATE}, the most that plays right"
    )
    return _GIF_RATE


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
        OSError: the disk is full or read-only, or ffmpeg failed; a file at `path` stays as it was.
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
        frames = _Video(unfinished, path, fps) if path.suffix else _Pngs(unfinished)
        try:
            yield frames.add
            if not frames.count:
                raise ValueError(f"{path}: a film needs at least one frame")
            frames.finish()
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

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


class _Video:
    """An MP4 or GIF, encoded by ffmpeg, which starts with the first frame and its size.

    Args:
        unfinished: the file that ffmpeg writes.
        path: what it will be called, for messages.
        fps: frames per second.
    """

    def __init__(self, unfinished: Path, path: Path, fps: float):
        self.unfinished = unfinished
        self.path = path
        self.fps = fps
        self.count = 0
        self.process = None

    def add(self, picture: np.ndarray, provenance: Provenance | None = None) -> None:
        if not self.count:
            self._start(*picture.shape[:2])
        try:
            self.process.stdin.write(np.ascontiguousarray(as_rgb(picture[None])[0]))
        except OSError:  # ffmpeg has ended, and says why better than a broken pipe does
            self.finish()
            raise
        self.count += 1

    def _start(self, height, width):
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-xerror"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}"),
            *("-framerate", str(self.fps), "-i", "-", "-an"),
            *(_GIF if self.path.suffix.lower() == ".gif" else _H264),
            f"file:{self.unfinished}",  # or ffmpeg takes what is before a colon for a protocol
        ]
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, closed by `close`
        # Ctrl-C is for this program, which then ends ffmpeg.
        group = {"start_new_session": True}
        if os.name == "nt":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            **group,
        )

    def finish(self) -> None:
        """Waits for ffmpeg; raises OSError if the film is not whole."""
        with contextlib.suppress(OSError):  # it has ended before
            self.process.stdin.close()
        if code := self.process.wait():
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()
            why = one_line(said[-1]) if said else f"it ended with {code}"
            raise OSError(f"{self.path}: ffmpeg could not write the film: {why}")

    def close(self) -> None:
        """Ends ffmpeg where it still runs: the film is not wanted any more."""
        if self.process:
            self.process.kill()
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process.wait()
            self.errors.close()
