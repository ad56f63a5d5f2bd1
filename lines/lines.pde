// Three lines on black: one vertical, two horizontal, each in one of four colours.
// Opens and runs in Processing 4. It saves N images into the folder OUTPUT beside this sketch.

final int N = 10000;            // how many images to save
final int SEED = 0;             // the same seed draws the same images
final String OUTPUT = "output"; // where they go: output/00000.png, output/00001.png, ...

final color[] COLOURS = {
  color(255, 255, 255), // white
  color(224, 184, 7),   // yellow
  color(185, 33, 19),   // red
  color(54, 79, 179)    // blue
};

void setup() {
  size(128, 128);
  pixelDensity(1); // one pixel is one pixel, on any screen
  frameRate(1000); // as fast as it will go
  strokeWeight(5);
  randomSeed(SEED);
}

void draw() {
  background(0);

  float x = random(width);
  stroke(COLOURS[int(random(COLOURS.length))]);
  line(x, 0, x, height);

  for (int i = 0; i < 2; i++) {
    float y = random(height);
    stroke(COLOURS[int(random(COLOURS.length))]);
    line(0, y, width, y);
  }

  save(OUTPUT + "/" + nf(frameCount - 1, 5) + ".png");
  if (frameCount == N) exit();
}
