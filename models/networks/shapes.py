"""The numbers that networks are made from, derived for every image size; no framework."""

from dataclasses import dataclass

from utils.images import SIZES

COARSEST = 4
"""Height and width of the coarsest feature maps of `Fast`."""

_COARSEST_FILTERS = 128  # of `Fast`
_TRUNK_UNITS = 256
_STRIP_UNITS = 128  # of `FewColours`
_FINEST = 4  # layers of the reference networks, whose critic begins with 128 filters


def _check_shapes(image_size: int, channels: int, width: float) -> None:
    if image_size not in SIZES:
        raise ValueError(
            f"image_size must be one of {', '.join(map(str, SIZES))}, received {image_size}"
        )
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, received {channels}")
    if not 1 / 32 <= width <= 8:
        raise ValueError(f"width must lie between 1/32 and 8, received {width:g}")


@dataclass(frozen=True)
class Tables:
    """The networks of `models.networks.tables`, for pictures of things at places.

    Attributes:
        image_size: height and width of the images.
        channels: 3, or 1 for grey images.
        things: how many there are in a picture, independent of each other.
        variants: of the place and of the colour of each of them.
        critic_learning_rate, generator_learning_rate, grad_weight: as for `WGANGP`.
    """

    image_size: int
    channels: int = 3
    things: int = 3
    variants: int = 256
    critic_learning_rate: float = 0.0015
    generator_learning_rate: float = 0.12
    grad_weight: float = 5


@dataclass(frozen=True)
class Fast:
    """The networks of `models.networks.fast`, for pictures of any kind.

    Every layer changes height and width by a factor of 4, or 2 where 4 would leave less than 4×4
    pixels, the coarsest feature map. So a layer on fine feature maps is rare, and has few filters.

    Attributes:
        image_size: height and width of the images, one of `SIZES`.
        channels: 3, or 1 for grey images.
        width: factor of all numbers of filters and units; a quarter takes a sixteenth of the
            arithmetic.
        groups: of latents that choose one of several variants each.
        variants: of each group.
        critic_learning_rate, generator_learning_rate, grad_weight: as for `WGANGP`.

    Raises:
        ValueError: another size, number of channels or width.
    """

    image_size: int
    channels: int = 3
    width: float = 1
    groups: int = 12
    variants: int = 32
    critic_learning_rate: float = 0.002
    generator_learning_rate: float = 0.002
    grad_weight: float = 5

    def __post_init__(self):
        _check_shapes(self.image_size, self.channels, self.width)

    @property
    def strides(self) -> list[int]:
        """Of the layers between images and 4×4 feature maps, the finest first.

        64 pixels have [4, 4], 512 have [4, 4, 4, 2].
        """
        doublings = (self.image_size // COARSEST).bit_length() - 1
        return [4] * (doublings // 2) + [2] * (doublings % 2)

    @property
    def filters(self) -> list[int]:
        """Of the feature maps, the finest first, down to 4×4 pixels; 64 pixels have [64, 128].

        A quarter of height and width has twice as many, half of them a third more.
        """
        factors = [1.0]
        for stride in reversed(self.strides[1:]):
            factors.insert(0, factors[0] * (1 / 2 if stride == 4 else 3 / 4))
        return [round(self.width * _COARSEST_FILTERS * factor) for factor in factors]

    @property
    def trunk_units(self) -> int:
        """Of the generator's dense layers, and of the critic's where it has a hidden one."""
        return round(self.width * _TRUNK_UNITS)


@dataclass(frozen=True)
class FewColours(Fast):
    """`Fast` for pictures whose colours are few, which consist of shapes and lines.

    The generator holds more at 4×4 pixels. The critic also sees whole rows and columns of pixels,
    and learns more slowly. Photographs do not take well to either (docs/experiments.md).
    """

    critic_learning_rate: float = 0.0014

    @property
    def filters(self) -> list[int]:
        """As those of `Fast`, twice as many of the coarsest map; 64 pixels have [64, 256]."""
        *finer, coarsest = super().filters
        return [*finer, 2 * coarsest]

    @property
    def strip_units(self) -> int:
        """Of what the critic sees in all rows of pixels, and in all columns; half for each row."""
        return max(2, round(self.width * _STRIP_UNITS))


def networks_for(image_size: int, channels: int = 3, width: float = 1) -> dict:
    """The arguments of `WGANGP` that shape both networks; 128 pixels give the reference block.

    Every layer of the critic halves height and width and doubles the filters, up to 1,024; the
    generator goes the other way. There are four layers, as in the reference, and one more for every
    doubling of the pixels beyond 128, so that the coarsest feature map has 8×8 pixels (4×4 of 64,
    2×2 of 32).

    Args:
        image_size: height and width of the images, one of `SIZES`.
        channels: 3, or 1 for grey images.
        width: factor of all numbers of filters; a quarter takes a sixteenth of the arithmetic.

    Raises:
        ValueError: another size or number of channels, or a width that leaves no filter.
    """
    _check_shapes(image_size, channels, width)
    layers = max(_FINEST, (image_size // 8).bit_length() - 1)
    side = image_size >> layers
    critic = [round(width * (1024 >> (layers - 1 - i))) for i in range(layers)]
    generator = [round(width * (512 >> i)) for i in range(layers - 1)]
    return {
        "input_dim": (image_size, image_size, channels),
        "critic_conv_filters": critic,
        "critic_conv_kernel_size": [3] * layers,
        "critic_conv_strides": [2] * layers,
        "generator_initial_dense_layer_size": (side, side, round(width * 512)),
        "generator_upsample": [1] * layers,
        "generator_conv_filters": [*generator, channels],
        "generator_conv_kernel_size": [6] * layers,
        "generator_conv_strides": [2] * layers,
    }
