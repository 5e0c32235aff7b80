/** The mask over the picture, as the eye should see it: a hatched tint with a crisp edge, visible on every colour, sampled from the mask itself, so that
 * what is shown is what is sent, at any zoom. Only the device pixels of `area` are drawn.
 */

import type { Mask, Rect } from "../mask/mask";
import type { View } from "./view";

export interface Ink {
  /** RGB 0..255. */
  color: readonly [number, number, number];
  /** Opacity 0..255 of the tint and of its edge. */
  tint: number;
  edge: number;
  /** Device pixels from one white stripe to the next. */
  period: number;
}

const WHITE = 0.22; // of the period

/** `view` in device pixels. The caller clips `area` to the canvas. */
export function drawMask(context: CanvasRenderingContext2D, mask: Mask, view: View, area: Rect, ink: Ink): void {
  context.putImageData(shaded(mask, view, area, ink), area.x, area.y);
}

/** The tint fading inward over `radius` device pixels, as the result will be blended. */
export function drawFeathered(context: CanvasRenderingContext2D, mask: Mask, view: View, area: Rect, ink: Ink, radius: number): void {
  const reach = Math.ceil(2 * radius) + 1;
  const inner = grown(area, reach); // what a change of `area` can change
  const outer = grown(inner, reach); // what that depends on
  const hard = new OffscreenCanvas(outer.width, outer.height);
  hard.getContext("2d")!.putImageData(shaded(mask, view, outer, { ...ink, tint: 255, edge: 255 }), 0, 0);
  const soft = new OffscreenCanvas(inner.width, inner.height).getContext("2d", { willReadFrequently: true })!;
  soft.filter = `blur(${Math.max(0.5, radius / 2)}px)`;
  soft.drawImage(hard, -reach, -reach);
  const faded = soft.getImageData(0, 0, inner.width, inner.height);
  const image = shaded(mask, view, inner, ink);
  for (let i = 3; i < image.data.length; i += 4) {
    const inward = Math.max(0, 2 * faded.data[i]! - 255) / 255;
    image.data[i] = image.data[i] ? Math.round(inward * ink.tint * 1.6) : 0;
  }
  context.putImageData(image, inner.x, inner.y);
}

const grown = ({ x, y, width, height }: Rect, by: number): Rect => ({ x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by });

function shaded(mask: Mask, view: View, area: Rect, ink: Ink): ImageData {
  const image = new ImageData(area.width, area.height);
  shade(mask, view, area, ink, image.data);
  return image;
}

/** Fills RGBA `out`, area.width × area.height, clear before. */
export function shade(mask: Mask, view: View, area: Rect, ink: Ink, out: Uint8ClampedArray): void {
  const [[red, green, blue], white] = [ink.color, ink.period * WHITE];
  const columns = Int32Array.from({ length: area.width + 2 }, (_, i) => Math.floor((area.x + i - 0.5 - view.x) / view.scale));
  let [above, here, below] = [new Uint8Array(columns.length), new Uint8Array(columns.length), new Uint8Array(columns.length)];
  const read = (line: Uint8Array, row: number) => mask.sample(columns, Math.floor((area.y + row + 0.5 - view.y) / view.scale), line);
  read(above, -1);
  read(here, 0);
  for (let row = 0; row < area.height; row++) {
    read(below, row + 1);
    let at = row * area.width * 4;
    const diagonal = area.x + area.y + row + ink.period * 1e6; // never negative
    for (let i = 1; i <= area.width; i++, at += 4) {
      if (!here[i]) continue;
      const light = (diagonal + i) % ink.period < white;
      out[at] = light ? 255 : red;
      out[at + 1] = light ? 255 : green;
      out[at + 2] = light ? 255 : blue;
      out[at + 3] = above[i] && below[i] && here[i + 1] && here[i - 1] ? ink.tint : ink.edge;
    }
    [above, here, below] = [here, below, above];
  }
}

/** The device pixels that a rectangle of the picture covers, with one to spare for edges, within the canvas. */
export function covered(rect: Rect, view: View, width: number, height: number): Rect | null {
  const left = Math.max(0, Math.floor(rect.x * view.scale + view.x) - 2);
  const top = Math.max(0, Math.floor(rect.y * view.scale + view.y) - 2);
  const right = Math.min(width, Math.ceil((rect.x + rect.width) * view.scale + view.x) + 2);
  const bottom = Math.min(height, Math.ceil((rect.y + rect.height) * view.scale + view.y) + 2);
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

export function union(a: Rect | null, b: Rect | null): Rect | null {
  if (!a || !b) return a ?? b;
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
