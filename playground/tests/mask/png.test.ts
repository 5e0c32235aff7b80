import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { Mask } from "../../src/mask/mask";
import { encode, fromPixels } from "../../src/mask/png";

/** The bits of a 1-bit PNG, read by the specification with node's own inflate. */
async function read(blob: Blob): Promise<{ width: number; height: number; bit: (x: number, y: number) => number }> {
  const bytes = Buffer.from(await blob.arrayBuffer());
  expect(bytes.subarray(0, 8)).toEqual(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]));
  const data: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      expect([...body.subarray(8)]).toEqual([1, 0, 0, 0, 0]);
    }
    if (type === "IDAT") data.push(body);
    at += length + 12;
  }
  const lines = inflateSync(Buffer.concat(data));
  const stride = Math.ceil(width / 8) + 1;
  expect(lines.length).toBe(stride * height);
  return { width, height, bit: (x, y) => (lines[y * stride + 1 + (x >> 3)]! >> (7 - (x & 7))) & 1 };
}

test.each([[1, 1], [7, 3], [128, 128], [130, 259], [515, 300]])("%i × %i comes back pixel for pixel", async (width, height) => {
  const mask = new Mask(width, height);
  for (let y = 0; y < height; y += 3) mask.span(y, (y * 7) % width, ((y * 7) % width) + 90, 1);
  const found = await read(await encode(mask));
  expect([found.width, found.height]).toEqual([width, height]);
  let wrong = 0;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) wrong += Number(found.bit(x, y) !== mask.at(x, y));
  expect(wrong).toBe(0);
  expect(mask.count()).toBeGreaterThan(0);
});

test("imported by transparency where it varies, else by light", () => {
  const light = new Uint8ClampedArray([127, 127, 127, 255, 128, 128, 128, 255, 255, 255, 255, 255, 0, 0, 0, 255]);
  const byLight = fromPixels(light, 4, 1);
  expect([0, 1, 2, 3].map((x) => byLight.at(x, 0))).toEqual([0, 1, 1, 0]);
  const clear = new Uint8ClampedArray([255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 1, 9, 9, 9, 0]);
  const byAlpha = fromPixels(clear, 4, 1);
  expect([0, 1, 2, 3].map((x) => byAlpha.at(x, 0))).toEqual([0, 1, 0, 1]);
});
