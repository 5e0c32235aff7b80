/** Strokes: round dabs joined into one shape, pixel for pixel the same at every zoom.
 *
 * A pixel belongs to a stroke when its centre does: within the radius of the line between two dabs, the radius growing
 * from one to the other (pen pressure).
 */

import type { Mask, Rect } from "./mask";

/** Centre and radius in source pixels; a pixel (x, y) has its centre at (x + ½, y + ½). */
export interface Dab {
  x: number;
  y: number;
  radius: number;
}

/** Paints from one dab to the next, both included. Returns what was covered, within the picture. */
export function stroke(mask: Mask, from: Dab, to: Dab, value: 0 | 1): Rect | null {
  const most = Math.max(from.radius, to.radius);
  const top = Math.max(0, Math.floor(Math.min(from.y - from.radius, to.y - to.radius) - 0.5));
  const bottom = Math.min(mask.height - 1, Math.ceil(Math.max(from.y + from.radius, to.y + to.radius)));
  let [left, right] = [mask.width, 0];
  const steps = between(from, to);
  for (let y = top; y <= bottom; y++) {
    const span = widest(steps, y + 0.5);
    if (!span) continue;
    const [x0, x1] = [Math.ceil(span[0] - 0.5), Math.floor(span[1] - 0.5) + 1];
    mask.span(y, x0, x1, value);
    [left, right] = [Math.min(left, x0), Math.max(right, x1)];
  }
  [left, right] = [Math.max(0, left), Math.min(mask.width, right)];
  if (right <= left || bottom < top || most <= 0) return null;
  return { x: left, y: top, width: right - left, height: bottom + 1 - top };
}

/** Dabs close enough that their union has no visible scallops, for a radius that changes on the way. */
function between(from: Dab, to: Dab): Dab[] {
  const gap = Math.max(0.25, Math.min(from.radius, to.radius) / 16);
  const count = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / gap));
  return Array.from({ length: count + 1 }, (_, i) => ({
    x: from.x + ((to.x - from.x) * i) / count,
    y: from.y + ((to.y - from.y) * i) / count,
    radius: from.radius + ((to.radius - from.radius) * i) / count,
  }));
}

/** Where the dabs meet this height, from the leftmost point to the rightmost: a convex stroke has no gap between. */
function widest(dabs: readonly Dab[], y: number): [number, number] | null {
  let [left, right] = [Infinity, -Infinity];
  for (const dab of dabs) {
    const reach = dab.radius * dab.radius - (y - dab.y) * (y - dab.y);
    if (reach < 0) continue;
    const half = Math.sqrt(reach);
    left = Math.min(left, dab.x - half);
    right = Math.max(right, dab.x + half);
  }
  return left <= right ? [left, right] : null;
}
