import { describe, expect, test } from "vitest";
import { stroke } from "../../src/mask/brush";
import { Mask } from "../../src/mask/mask";
import { covered, shade } from "../../src/stage/painter";

const INK = { color: [200, 48, 24], tint: 100, edge: 240, period: 10 } as const;

/** The opacity of each device pixel. */
function opacity(mask: Mask, scale: number, area = { x: 0, y: 0, width: 40, height: 30 }): number[] {
  const out = new Uint8ClampedArray(area.width * area.height * 4);
  shade(mask, { scale, x: 0, y: 0 }, area, INK, out);
  return Array.from({ length: area.width * area.height }, (_, i) => out[i * 4 + 3]!);
}

function painted(): Mask {
  const mask = new Mask(300, 200);
  stroke(mask, { x: 20, y: 15, radius: 9 }, { x: 150, y: 140, radius: 20 }, 1);
  return mask;
}

describe("sample", () => {
  test("is `at`, many at a time, inside and outside", () => {
    const mask = painted();
    const columns = Int32Array.from([-300, -1, 0, 5, 20, 127, 128, 129, 250, 299, 300, 4000]);
    for (const y of [-1, 0, 15, 127, 128, 199, 200]) {
      const line = new Uint8Array(columns.length).fill(7);
      mask.sample(columns, y, line);
      expect([...line]).toEqual([...columns].map((x) => mask.at(x, y)));
    }
  });
});

describe("what is shown", () => {
  test.each([1, 0.25, 7.3])("at scale %d is the mask, with an edge around what is inside", (scale) => {
    const mask = painted();
    const at = (x: number, y: number) => mask.at(Math.floor((x + 0.5) / scale), Math.floor((y + 0.5) / scale));
    const want = Array.from({ length: 1200 }, (_, i) => {
      const [x, y] = [i % 40, Math.floor(i / 40)];
      if (!at(x, y)) return 0;
      return at(x - 1, y) && at(x + 1, y) && at(x, y - 1) && at(x, y + 1) ? INK.tint : INK.edge;
    });
    expect(opacity(mask, scale)).toEqual(want);
  });

  test("a part is drawn as the whole would be", () => {
    const mask = painted();
    const part = { x: 11, y: 7, width: 13, height: 9 };
    const whole = opacity(mask, 1.7);
    const want = Array.from({ length: 13 * 9 }, (_, i) => whole[(7 + Math.floor(i / 13)) * 40 + 11 + (i % 13)]);
    expect(opacity(mask, 1.7, part)).toEqual(want);
  });

  test("three of ten pixels along a row are white: it shows on every colour", () => {
    const mask = new Mask(40, 30);
    mask.clear(1);
    const out = new Uint8ClampedArray(40 * 30 * 4);
    shade(mask, { scale: 1, x: 0, y: 0 }, { x: 0, y: 0, width: 40, height: 30 }, INK, out);
    const greens = Array.from({ length: 40 }, (_, x) => out[(12 * 40 + x) * 4 + 1]);
    expect([greens.filter((each) => each === 255).length, greens.filter((each) => each === 48).length]).toEqual([12, 28]);
  });

  test("a change covers its device pixels and no others than their neighbours", () => {
    const view = { scale: 2, x: -10, y: 4 };
    expect(covered({ x: 10, y: 10, width: 5, height: 5 }, view, 100, 100)).toEqual({ x: 8, y: 22, width: 14, height: 14 });
    expect(covered({ x: 90, y: 10, width: 5, height: 5 }, view, 100, 100)).toBeNull();
  });
});
