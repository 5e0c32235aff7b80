/** The mask over the picture, as the eye should see it: a tint with a crisp edge, sampled from the mask itself, so that
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
}

/** `view` in device pixels. The caller clips `area` to the canvas. */
export function drawMask(context: CanvasRenderingContext2D, mask: Mask, view: View, area: Rect, ink: Ink): void {
  const image = context.createImageData(area.width, area.height);
  shade(mask, view, area, ink, image.data);
  context.putImageData(image, area.x, area.y);
}

/** Fills RGBA `out`, area.width × area.height. */
export function shade(mask: Mask, view: View, area: Rect, ink: Ink, out: Uint8ClampedArray): void {
  const [red, green, blue] = ink.color;
  const columns = Int32Array.from({ length: area.width + 1 }, (_, i) => Math.floor((area.x + i + 0.5 - view.x) / view.scale));
  let above = sampled(mask, columns, Math.floor((area.y - 0.5 - view.y) / view.scale));
  let here = sampled(mask, columns, Math.floor((area.y + 0.5 - view.y) / view.scale));
  for (let row = 0; row < area.height; row++) {
    const below = sampled(mask, columns, Math.floor((area.y + row + 1.5 - view.y) / view.scale));
    for (let i = 0; i < area.width; i++) {
      if (!here[i]) continue;
      const inside = above[i] && below[i] && here[i + 1] && (i === 0 || here[i - 1]);
      const at = (row * area.width + i) * 4;
      out[at] = red;
      out[at + 1] = green;
      out[at + 2] = blue;
      out[at + 3] = inside ? ink.tint : ink.edge;
    }
    [above, here] = [here, below];
  }
}

function sampled(mask: Mask, columns: Int32Array, y: number): Uint8Array {
  const line = new Uint8Array(columns.length);
  if (y < 0 || y >= mask.height) return line;
  for (let i = 0; i < columns.length; i++) line[i] = mask.at(columns[i]!, y);
  return line;
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
