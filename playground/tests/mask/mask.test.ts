import { describe, expect, test } from "vitest";
import { stroke } from "../../src/mask/brush";
import { fill } from "../../src/mask/fill";
import { History } from "../../src/mask/history";
import { Mask } from "../../src/mask/mask";

/** `#` where the mask is 1. */
function drawn(mask: Mask): string[] {
  return Array.from({ length: mask.height }, (_, y) => {
    let line = "";
    for (let x = 0; x < mask.width; x++) line += mask.at(x, y) ? "#" : ".";
    return line;
  });
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("spans", () => {
  test("match a plain array over tiles, at every length and place", () => {
    const next = random(1);
    const [width, height] = [300, 140];
    const mask = new Mask(width, height);
    const plain = new Uint8Array(width * height);
    for (let i = 0; i < 600; i++) {
      const [y, x0] = [Math.floor(next() * (height + 4)) - 2, Math.floor(next() * (width + 20)) - 10];
      const [x1, value] = [x0 + Math.floor(next() * 200), (next() < 0.7 ? 1 : 0) as 0 | 1];
      if (i % 50 === 0) mask.begin();
      mask.span(y, x0, x1, value);
      if (i % 50 === 49) mask.end();
      if (y >= 0 && y < height) plain.fill(value, y * width + Math.min(width, Math.max(0, x0)), y * width + Math.min(width, Math.max(0, x1)));
    }
    const found = Uint8Array.from({ length: width * height }, (_, i) => mask.at(i % width, Math.floor(i / width)));
    expect(found).toEqual(plain);
    expect(mask.count()).toBe(plain.reduce((sum, bit) => sum + bit, 0));
  });

  test("nothing outside the picture is ever set or counted", () => {
    const mask = new Mask(5, 3);
    mask.clear(1);
    expect(mask.count()).toBe(15);
    expect(mask.at(5, 0)).toBe(0);
    mask.invert();
    expect(mask.count()).toBe(0);
    mask.invert();
    expect(mask.bounds()).toEqual({ x: 0, y: 0, width: 5, height: 3 });
  });
});

describe("strokes", () => {
  test("a dab of radius 2.5 on a pixel's corner", () => {
    const mask = new Mask(8, 7);
    stroke(mask, { x: 4, y: 3, radius: 2.5 }, { x: 4, y: 3, radius: 2.5 }, 1);
    expect(drawn(mask)).toEqual(["........", "..####..", "..####..", "..####..", "..####..", "........", "........"]);
  });

  test("a dab of radius half a pixel is that pixel", () => {
    const mask = new Mask(3, 3);
    stroke(mask, { x: 1.5, y: 1.5, radius: 0.5 }, { x: 1.5, y: 1.5, radius: 0.5 }, 1);
    expect(drawn(mask)).toEqual(["...", ".#.", "..."]);
  });

  test("a line has no gap and stays within its radius", () => {
    const mask = new Mask(400, 300);
    const [from, to] = [{ x: 30.2, y: 40.7, radius: 6 }, { x: 371, y: 255.5, radius: 6 }];
    const area = stroke(mask, from, to, 1)!;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const wrong: string[] = [];
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 400; x++) {
        const t = Math.min(1, Math.max(0, ((x + 0.5 - from.x) * dx + (y + 0.5 - from.y) * dy) / (dx * dx + dy * dy)));
        const far = Math.hypot(x + 0.5 - from.x - t * dx, y + 0.5 - from.y - t * dy);
        const on = mask.at(x, y);
        const inArea = x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;
        if ((far < 5.9 && !on) || (far > 6.01 && on) || (on && !inArea)) wrong.push(`${x},${y}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("a stroke outside the picture changes nothing", () => {
    const mask = new Mask(50, 50);
    expect(stroke(mask, { x: -30, y: -30, radius: 9 }, { x: -10, y: 80, radius: 9 }, 1)).toBeNull();
    expect(mask.count()).toBe(0);
  });
});

describe("fill", () => {
  test("stops at a painted outline and leaves the other side alone", () => {
    const mask = new Mask(200, 200);
    const corners: [number, number][] = [[40, 40], [160, 50], [150, 160], [50, 150], [40, 40]];
    for (let i = 1; i < corners.length; i++) {
      const [a, b] = [corners[i - 1]!, corners[i]!];
      stroke(mask, { x: a[0], y: a[1], radius: 2 }, { x: b[0], y: b[1], radius: 2 }, 1);
    }
    expect(fill(mask, 100, 100)).toBeGreaterThan(9000);
    expect([mask.at(100, 100), mask.at(5, 5), mask.at(195, 195)]).toEqual([1, 0, 0]);
    const inside = mask.count();
    fill(mask, 5, 5);
    expect(mask.count()).toBe(200 * 200);
    fill(mask, 5, 5);
    expect(mask.count()).toBe(0);
    expect(inside).toBeGreaterThan(9000);
  });
});

describe("undo", () => {
  test("fifty steps back and forth are exact; the fifty-first is forgotten", () => {
    const mask = new Mask(300, 260);
    const history = new History(mask);
    const next = random(7);
    const states: string[] = [];
    const shot = () => drawn(mask).join("\n");
    for (let i = 0; states.length < 52; i++) {
      const before = shot();
      history.change(() => {
        if (i % 17 === 5) mask.invert();
        else if (i % 19 === 6) fill(mask, Math.floor(next() * 300), Math.floor(next() * 260));
        else {
          const dab = () => ({ x: next() * 300, y: next() * 260, radius: next() * 30 + 1 });
          stroke(mask, dab(), dab(), next() < 0.7 ? 1 : 0);
        }
      });
      if (shot() !== before) states.push(before); // a stroke may have met only its own colour: no step
    }
    const last = shot();
    for (let i = 51; i >= 2; i--) {
      expect(history.undo()).not.toBeNull();
      expect(shot() === states[i]).toBe(true);
    }
    expect(history.undo()).toBeNull();
    while (history.redo());
    expect(shot() === last).toBe(true);
    history.undo();
    history.change(() => mask.clear(0));
    expect(history.canRedo).toBe(false);
  });

  test("a change that changes nothing is no step", () => {
    const mask = new Mask(10, 10);
    const history = new History(mask);
    history.change(() => mask.span(3, 2, 2, 1));
    history.change(() => mask.clear(0));
    expect(history.canUndo).toBe(false);
  });
});
