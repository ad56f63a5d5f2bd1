import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import processing.awt.PGraphicsJava2D;
import processing.core.PApplet;

/**
 * Draws scenes with Processing's own default renderer, without a screen.
 *
 * Standard input, big-endian: int size, int weight, int scenes, int lines per scene; then per line
 * int orientation (0 vertical, 1 horizontal), float position, int red, int green, int blue.
 * Standard output: size*size*3 bytes RGB per scene.
 */
public class Reference {
  public static void main(String[] arguments) throws IOException {
    System.setProperty("java.awt.headless", "true");
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
    int size = in.readInt(), weight = in.readInt(), scenes = in.readInt(), lines = in.readInt();
    PGraphicsJava2D graphics = new PGraphicsJava2D();
    graphics.setParent(new PApplet());
    graphics.setPrimary(true);
    graphics.setSize(size, size);
    byte[] rgb = new byte[size * size * 3];
    for (int scene = 0; scene < scenes; scene++) {
      graphics.beginDraw();
      graphics.background(0);
      graphics.strokeWeight(weight);
      for (int line = 0; line < lines; line++) {
        boolean horizontal = in.readInt() == 1;
        float position = in.readFloat();
        graphics.stroke(in.readInt(), in.readInt(), in.readInt());
        if (horizontal) graphics.line(0, position, size, position);
        else graphics.line(position, 0, position, size);
      }
      graphics.endDraw();
      graphics.loadPixels();
      for (int i = 0; i < size * size; i++) {
        rgb[3 * i] = (byte) (graphics.pixels[i] >> 16);
        rgb[3 * i + 1] = (byte) (graphics.pixels[i] >> 8);
        rgb[3 * i + 2] = (byte) graphics.pixels[i];
      }
      out.write(rgb);
    }
    out.flush();
  }
}
