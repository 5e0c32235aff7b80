/** A mask as a PNG: one bit a pixel, white = edit, at the source's resolution, written by hand because a canvas is
 * limited to 16 megapixels on some devices. Reference: PNG, third edition (W3C).
 */

import { Mask } from "./mask";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

export async function encode(mask: Mask): Promise<Blob> {
  const bytes = Math.ceil(mask.width / 8);
  let y = 0;
  const lines = new ReadableStream<BufferSource>({
    pull(controller) {
      const rows = Math.min(256, mask.height - y);
      const chunk = new Uint8Array(rows * (bytes + 1));
      for (let i = 0; i < rows; i++) {
        const start = i * (bytes + 1) + 1; // byte 0 is filter type None
        const line = chunk.subarray(start, start + bytes);
        mask.scanline(y + i, line);
        if (mask.width & 7) line[bytes - 1]! &= 255 << (8 - (mask.width & 7));
      }
      controller.enqueue(chunk);
      y += rows;
      if (y === mask.height) controller.close();
    },
  });
  const packed = await new Response(lines.pipeThrough(new CompressionStream("deflate"))).arrayBuffer();
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, mask.width);
  view.setUint32(4, mask.height);
  header[8] = 1; // bit depth; colour type, compression, filter and interlace are 0
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", header), chunk("IDAT", new Uint8Array(packed)), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/** From pixels (RGBA, as a canvas gives them) of the mask's size: alpha 0 = edit where alpha varies, else light = edit. */
export function fromPixels(rgba: Uint8ClampedArray, width: number, height: number): Mask {
  let varies = false;
  for (let i = 3; i < rgba.length && !varies; i += 4) varies = rgba[i] !== rgba[3];
  const edits = (i: number) =>
    varies ? rgba[i + 3] === 0 : rgba[i]! * 299 + rgba[i + 1]! * 587 + rgba[i + 2]! * 114 >= 128_000;
  const mask = new Mask(width, height);
  mask.begin();
  for (let y = 0; y < height; y++) {
    let start = -1;
    for (let x = 0; x <= width; x++) {
      const on = x < width && edits((y * width + x) * 4);
      if (on && start < 0) start = x;
      if (!on && start >= 0) {
        mask.span(y, start, x, 1);
        start = -1;
      }
    }
  }
  mask.end();
  return mask;
}

function chunk(type: string, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(data.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) whole[4 + i] = type.charCodeAt(i);
  whole.set(data, 8);
  view.setUint32(data.length + 8, crc32(whole.subarray(4, data.length + 8)));
  return whole;
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
