/** The bucket: everything that is connected to a pixel and has its value changes to the other one. */

import type { Mask } from "./mask";

/** Four-connected scanline fill (Smith 1979). Returns how many pixels changed. */
export function fill(mask: Mask, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return 0;
  const old = mask.at(x, y);
  const value = (1 - old) as 0 | 1;
  const seeds: number[] = [x, y];
  let changed = 0;
  while (seeds.length) {
    const row = seeds.pop()!;
    const column = seeds.pop()!;
    if (mask.at(column, row) !== old) continue;
    let [left, right] = [column, column + 1];
    while (left > 0 && mask.at(left - 1, row) === old) left--;
    while (right < mask.width && mask.at(right, row) === old) right++;
    mask.span(row, left, right, value);
    changed += right - left;
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= mask.height) continue;
      for (let i = left, inside = false; i < right; i++) {
        const open = mask.at(i, next) === old;
        if (open && !inside) seeds.push(i, next);
        inside = open;
      }
    }
  }
  return changed;
}
