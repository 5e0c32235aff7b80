/** A boolean mask at the source's own resolution: 1 = edit.
 *
 * Kept in tiles of 128 × 128 pixels, each a single bit for a uniform tile or 2 KB of packed bits: a 40-megapixel mask
 * weighs 5 MB at most, a stroke touches only its tiles, and an undo step keeps those alone. All coordinates are whole
 * source pixels; everything that changes pixels goes through `span`.
 */

export const TILE = 128;
const BYTES = (TILE * TILE) / 8;

/** A uniform tile is its value; any other its bits, row by row, lowest bit first. */
type Tile = 0 | 1 | Uint8Array;

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The tiles one step changed, as they were before it. */
export type Step = ReadonlyMap<number, Tile>;

export class Mask {
  readonly columns: number;
  readonly rows: number;
  private tiles: Tile[];
  private touched: Map<number, Tile> | null = null;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.columns = Math.ceil(width / TILE);
    this.rows = Math.ceil(height / TILE);
    this.tiles = new Array<Tile>(this.columns * this.rows).fill(0);
  }

  at(x: number, y: number): 0 | 1 {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0;
    const tile = this.tiles[(y >> 7) * this.columns + (x >> 7)]!;
    if (typeof tile === "number") return tile;
    const bit = ((y & 127) << 7) | (x & 127);
    return ((tile[bit >> 3]! >> (bit & 7)) & 1) as 0 | 1;
  }

  /** The pixels of row y at `columns`, ascending, into `line`: as `at`, many at a time. */
  sample(columns: Int32Array, y: number, line: Uint8Array): void {
    line.fill(0);
    if (y < 0 || y >= this.height) return;
    const [tiles, row] = [(y >> 7) * this.columns, (y & 127) << 7];
    for (let i = 0; i < columns.length; i++) {
      const x = columns[i]!;
      if (x < 0 || x >= this.width) continue;
      const tile = this.tiles[tiles + (x >> 7)]!;
      if (typeof tile === "number") {
        line[i] = tile;
      } else {
        const bit = row | (x & 127);
        line[i] = (tile[bit >> 3]! >> (bit & 7)) & 1;
      }
    }
  }

  /** Set pixels x0 ≤ x < x1 of a row; what lies outside the picture is left out. */
  span(y: number, x0: number, x1: number, value: 0 | 1): void {
    if (y < 0 || y >= this.height) return;
    let x = Math.max(0, x0);
    const end = Math.min(this.width, x1);
    while (x < end) {
      const index = (y >> 7) * this.columns + (x >> 7);
      const stop = Math.min(end, ((x >> 7) + 1) << 7);
      if (this.tiles[index] !== value) {
        const row = (y & 127) << 7;
        setBits(this.writable(index), row | (x & 127), row + (stop - ((x >> 7) << 7)), value);
      }
      x = stop;
    }
  }

  /** Everything 0 or everything 1. */
  clear(value: 0 | 1): void {
    this.tiles.forEach((tile, index) => {
      if (tile !== value) this.replace(index, value);
    });
  }

  invert(): void {
    this.tiles.forEach((tile, index) => {
      this.replace(index, typeof tile === "number" ? ((1 - tile) as 0 | 1) : tile.map((byte) => byte ^ 255));
    });
  }

  /** Becomes the same as another mask of this size. */
  copy(other: Mask): void {
    other.tiles.forEach((tile, index) => this.replace(index, typeof tile === "number" ? tile : tile.slice()));
  }

  /** How many pixels are 1. */
  count(): number {
    let total = 0;
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        const tile = this.tiles[row * this.columns + column]!;
        if (tile === 0) continue;
        const width = Math.min(TILE, this.width - column * TILE);
        const height = Math.min(TILE, this.height - row * TILE);
        total += tile === 1 ? width * height : countBits(tile, width, height);
      }
    }
    return total;
  }

  /** The smallest rectangle around all pixels that are 1, to the tile; null when there is none. */
  bounds(): Rect | null {
    let [left, top, right, bottom] = [this.columns, this.rows, -1, -1];
    this.tiles.forEach((tile, index) => {
      if (tile === 0) return;
      const [column, row] = [index % this.columns, Math.floor(index / this.columns)];
      [left, right] = [Math.min(left, column), Math.max(right, column)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    });
    if (right < 0) return null;
    const [x, y] = [left * TILE, top * TILE];
    return {
      x,
      y,
      width: Math.min(this.width, (right + 1) * TILE) - x,
      height: Math.min(this.height, (bottom + 1) * TILE) - y,
    };
  }

  /** One row as bits, eight pixels a byte, highest bit first: a PNG's 1-bit scanline. */
  scanline(y: number, into: Uint8Array): void {
    into.fill(0);
    const row = (y & 127) << 7;
    for (let column = 0; column < this.columns; column++) {
      const tile = this.tiles[(y >> 7) * this.columns + column]!;
      if (tile === 0) continue;
      const bytes = Math.min(TILE >> 3, into.length - column * (TILE >> 3));
      for (let i = 0; i < bytes; i++) {
        into[column * (TILE >> 3) + i] = tile === 1 ? 255 : REVERSED[tile[(row >> 3) + i]!]!;
      }
    }
  }

  /** From here on changes are remembered, until `end`. */
  begin(): void {
    this.touched = new Map();
  }

  /** What has changed since `begin`, empty when all is as it was; uniform tiles have become numbers again. */
  end(): Step {
    const step: Map<number, Tile> = this.touched ?? new Map();
    this.touched = null;
    for (const [index, before] of step) {
      const tile = (this.tiles[index] = simplest(this.tiles[index]!));
      if (same(tile, before)) step.delete(index);
    }
    return step;
  }

  /** Puts a step's tiles back; returns the step that would undo that. */
  restore(step: Step): Step {
    const before = new Map<number, Tile>();
    for (const [index, tile] of step) {
      before.set(index, this.tiles[index]!);
      this.tiles[index] = tile;
    }
    return before;
  }

  /** The picture's rectangle that a step's tiles cover. */
  area(step: Step): Rect[] {
    return [...step.keys()].map((index) => ({
      x: (index % this.columns) * TILE,
      y: Math.floor(index / this.columns) * TILE,
      width: TILE,
      height: TILE,
    }));
  }

  private replace(index: number, tile: Tile): void {
    this.remember(index);
    this.tiles[index] = tile;
  }

  /** The tile's own bits, ready to be changed: never those that an undo step holds. */
  private writable(index: number): Uint8Array {
    const tile = this.tiles[index]!;
    const fresh = this.remember(index);
    if (typeof tile !== "number" && !fresh) return tile;
    const bits = typeof tile === "number" ? new Uint8Array(BYTES).fill(tile ? 255 : 0) : tile.slice();
    this.tiles[index] = bits;
    return bits;
  }

  /** Whether this is the first change to the tile in this step. */
  private remember(index: number): boolean {
    if (!this.touched || this.touched.has(index)) return false;
    this.touched.set(index, this.tiles[index]!);
    return true;
  }
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) reversed |= 128 >> bit;
  return reversed;
});

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest; rest &= rest - 1) ones++;
  return ones;
});

/** Bits from ≤ i < to, of one row. */
function setBits(bits: Uint8Array, from: number, to: number, value: 0 | 1): void {
  const [first, last] = [from >> 3, (to - 1) >> 3];
  const [head, tail] = [(255 << (from & 7)) & 255, 255 >> (7 - ((to - 1) & 7))];
  const write = (byte: number, which: number) => {
    bits[byte] = value ? bits[byte]! | which : bits[byte]! & ~which;
  };
  if (first === last) return write(first, head & tail);
  write(first, head);
  bits.fill(value ? 255 : 0, first + 1, last);
  write(last, tail);
}

function countBits(tile: Uint8Array, width: number, height: number): number {
  let total = 0;
  for (let y = 0; y < height; y++) {
    const [row, whole] = [y * (TILE >> 3), width >> 3];
    for (let i = 0; i < whole; i++) total += ONES[tile[row + i]!]!;
    if (width & 7) total += ONES[tile[row + whole]! & (255 >> (8 - (width & 7)))]!;
  }
  return total;
}

function same(a: Tile, b: Tile): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.every((byte, i) => byte === b[i]);
}

function simplest(tile: Tile): Tile {
  if (typeof tile === "number") return tile;
  const first = tile[0]!;
  return (first === 0 || first === 255) && tile.every((byte) => byte === first) ? (first ? 1 : 0) : tile;
}
