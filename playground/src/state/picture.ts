/** The picture at hand: checked by its bytes before it is decoded, upright, never enlarged or recompressed. */

import { signal } from "@preact/signals";
import { History } from "../mask/history";
import { Mask } from "../mask/mask";

export const MOST_BYTES = 20 * 2 ** 20;
export const MOST_PIXELS = 40_000_000;

/** `file` is sent as it is; `bitmap` is what is shown, upright, `width` × `height`. */
export interface Picture {
  file: Blob;
  name: string;
  bitmap: ImageBitmap;
  width: number;
  height: number;
  mask: Mask;
  history: History;
}

export const picture = signal<Picture | null>(null);

/** Counts up with every change of the mask: what depends on its pixels reads this. */
export const maskRevision = signal(0);

/** Says in words why a file cannot be edited, and what to do. */
export class Unusable extends Error {}

const KINDS: readonly [string, (bytes: Uint8Array) => boolean][] = [
  ["image/png", (b) => starts(b, [0x89, 0x50, 0x4e, 0x47])],
  ["image/jpeg", (b) => starts(b, [0xff, 0xd8, 0xff])],
  ["image/gif", (b) => text(b, 0, 4) === "GIF8"],
  ["image/webp", (b) => text(b, 0, 4) === "RIFF" && text(b, 8, 12) === "WEBP"],
];

/** Raises Unusable. */
export async function open(file: Blob, name: string): Promise<Picture> {
  await check(file, name);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Unusable(`${name} is damaged: it could not be read to its end. Try another copy of it.`);
  }
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    bitmap.close();
    throw tooLarge(name, bitmap.width, bitmap.height);
  }
  const mask = new Mask(bitmap.width, bitmap.height);
  return { file, name, bitmap, width: bitmap.width, height: bitmap.height, mask, history: new History(mask) };
}

async function check(file: Blob, name: string): Promise<void> {
  if (!file.size) throw new Unusable(`${name} is empty. Choose another picture.`);
  if (file.size > MOST_BYTES) {
    throw new Unusable(`${name} is ${Math.ceil(file.size / 2 ** 20)} MB; up to 20 MB can be sent. Save it smaller.`);
  }
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const kind = KINDS.find(([, is]) => is(head))?.[0];
  if (kind) {
    const [width, height] = kind === "image/png" ? pngSize(head) : [0, 0];
    if (width * height > MOST_PIXELS) throw tooLarge(name, width, height); // before it is decoded
    if (await moves(file, kind)) throw new Unusable(`${name} moves, and one still picture is edited at a time. Save the frame that you want as PNG.`);
    return;
  }
  const brand = text(head, 4, 8) === "ftyp" ? text(head, 8, 12) : "";
  if (/^(heic|heix|hevc|mif1|msf1|heim)/.test(brand)) {
    throw new Unusable(`${name} is a HEIC photo, which editors here cannot read. Export it as JPEG or PNG.`);
  }
  if (brand.startsWith("avif")) throw new Unusable(`${name} is an AVIF picture. Export it as PNG, JPEG or WebP.`);
  if (starts(head, [0x49, 0x49, 0x2a, 0]) || starts(head, [0x4d, 0x4d, 0, 0x2a])) {
    throw new Unusable(`${name} is a TIFF or camera raw picture. Export it as PNG or JPEG.`);
  }
  throw new Unusable(`${name} is not a picture that can be edited. Choose a PNG, JPEG, WebP or GIF.`);
}

const tooLarge = (name: string, width: number, height: number) =>
  new Unusable(`${name} has ${Math.round((width * height) / 1e6)} megapixels; up to 40 can be edited. Scale it down first.`);

function pngSize(head: Uint8Array): [number, number] {
  const view = new DataView(head.buffer);
  return head.length < 24 ? [0, 0] : [view.getUint32(16), view.getUint32(20)];
}

/** Whether it has frames, where the browser can tell; the server looks again. */
async function moves(file: Blob, type: string): Promise<boolean> {
  if (!("ImageDecoder" in globalThis) || type === "image/jpeg") return false;
  const decoder = new ImageDecoder({ data: file.stream(), type });
  try {
    await decoder.completed;
    return (decoder.tracks.selectedTrack?.frameCount ?? 1) > 1;
  } catch {
    return false; // damaged, as decoding it will tell
  } finally {
    decoder.close();
  }
}

function starts(bytes: Uint8Array, want: readonly number[]): boolean {
  return want.every((byte, i) => bytes[i] === byte);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
