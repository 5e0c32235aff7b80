/** What keys and buttons do to a picture's mask. */

import { fromPixels } from "../mask/png";
import { maskRevision, open, type Picture, Unusable } from "../state/picture";

export function undo(at: Picture): void {
  if (at.history.undo()) maskRevision.value++;
}

export function redo(at: Picture): void {
  if (at.history.redo()) maskRevision.value++;
}

/** Replaces the mask, as one step. Raises Unusable. */
export async function importMask(at: Picture, file: Blob, name: string): Promise<void> {
  const loaded = await open(file, name);
  const { bitmap, width, height } = loaded;
  try {
    if (width !== at.width || height !== at.height) {
      throw new Unusable(`${name} measures ${width} × ${height}, the picture ${at.width} × ${at.height}. A mask must have the picture's size.`);
    }
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    const read = fromPixels(context.getImageData(0, 0, width, height).data, width, height);
    at.history.change(() => at.mask.copy(read));
    maskRevision.value++;
  } finally {
    bitmap.close();
  }
}
