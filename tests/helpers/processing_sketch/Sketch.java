import processing.awt.PGraphicsJava2D;
import processing.core.PApplet;

/**
 * What lines.pde does, without a screen, as fast as one process can: draws and saves PNGs.
 * Arguments: number of images, seed, folder.
 */
public class Sketch {
  static final int[] COLOURS = {0xFFFFFFFF, 0xFFE0B807, 0xFFB92113, 0xFF364FB3};

  public static void main(String[] arguments) {
    int count = Integer.parseInt(arguments[0]);
    PApplet sketch = new PApplet();
    sketch.randomSeed(Long.parseLong(arguments[1]));
    PGraphicsJava2D graphics = new PGraphicsJava2D();
    graphics.setParent(sketch);
    graphics.setPrimary(true);
    graphics.setSize(128, 128);
    for (int i = 0; i < count; i++) {
      graphics.beginDraw();
      graphics.background(0);
      graphics.strokeWeight(5);
      float x = sketch.random(128);
      graphics.stroke(COLOURS[(int) sketch.random(4)]);
      graphics.line(x, 0, x, 128);
      for (int line = 0; line < 2; line++) {
        float y = sketch.random(128);
        graphics.stroke(COLOURS[(int) sketch.random(4)]);
        graphics.line(0, y, 128, y);
      }
      graphics.endDraw();
      graphics.save(arguments[2] + "/" + PApplet.nf(i, 5) + ".png");
    }
    System.exit(0);
  }
}
