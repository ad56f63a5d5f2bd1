"""Says how many images of a generator obey the law of the sketch, beside fresh real images."""

from utils import cli

parser = cli.parser(
    __doc__,
    "  python evaluate.py --generator run/gan/0001_output/generator.h5 --count 500",
)
parser.add_argument(
    "--generator", default="run/gan/0001_output/generator.h5", help="a generator.h5"
)
parser.add_argument("--count", type=cli.whole(most=1_000_000), default=500, help="number of images")
parser.add_argument(
    "--weight", type=cli.whole(most=38), help="of the lines, pixels; None: 5 of 128, 3 of 64"
)


def main(arguments):
    """Prints the share of structured images, generated and real."""
    import numpy as np

    from lines.metrics import structure
    from lines.render import render
    from lines.scene import ProcessingRandom, random_scene
    from utils.latents import draw, latents
    from utils.loaders import load_generator

    generator = load_generator(arguments.generator)
    size = generator.output_shape[1]
    if generator.output_shape[1:] != (size, size, 3):
        raise ValueError(f"the lines are square RGB images, not {generator.output_shape[1:]}")
    weight = arguments.weight or round(size * 5 / 128 + 0.25)
    generated = draw(generator, latents(list(range(arguments.count)), generator.input_shape[1]))
    random = ProcessingRandom(1)
    scenes = [random_scene(random, size) for _ in range(arguments.count)]
    real = np.stack([render(scene, size, weight) for scene in scenes])
    print(f"one vertical and two horizontal lines, edge to edge, among {arguments.count} images:")
    print(f"  generated  {structure(generated, weight):.3f}")
    print(f"  real       {structure(real, weight):.3f}")


if __name__ == "__main__":
    cli.run(main, parser.parse_args())
