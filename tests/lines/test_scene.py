"""Processing's random numbers and the scenes made of them."""

from lines.scene import ProcessingRandom


def test_random_matches_java():
    # new java.util.Random(42).nextFloat(), three times, as Java 17 prints them in hexadecimal.
    random = ProcessingRandom(42)
    expected = ["0x1.74833ap-1", "0x1.bfd14p-5", "0x1.5dcf76p-1"]
    assert [random.random(1) for _ in range(3)] == [float.fromhex(value) for value in expected]
    assert ProcessingRandom(-7).random(1) == float.fromhex("0x1.1394a8p-2")


def test_skip_equals_calling():
    for steps in (0, 1, 2, 7, 60, 12345):
        called, skipped = ProcessingRandom(9), ProcessingRandom(9)
        for _ in range(steps):
            called.random(1)
        skipped.skip(steps)
        assert called.state == skipped.state
