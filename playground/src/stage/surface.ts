/** Two canvases, one for the picture and one for its mask, redrawn once a frame and only where something changed. */

import type { Rect } from "../mask/mask";
import type { Picture } from "../state/picture";
import { covered, drawFeathered, drawMask, type Ink, union } from "./painter";
import type { Size, View } from "./view";

const STRIPES = 11; // CSS pixels from one to the next

export class Surface {
  private view: View = { scale: 1, x: 0, y: 0 };
  private picture: Picture | null = null;
  private dirty: Rect | null = null;
  private stale = false;
  private frame = 0;
  private ratio = 1;
  private ink: Ink = { color: [0, 0, 0], tint: 0, edge: 0, period: 1 };
  private masked = true;
  private feather = 0;

  constructor(
    private readonly below: HTMLCanvasElement,
    private readonly above: HTMLCanvasElement,
  ) {}

  show(picture: Picture | null, view: View): void {
    [this.picture, this.view] = [picture, view];
    this.all();
  }

  resize(size: Size, ratio: number): void {
    this.ratio = ratio;
    for (const canvas of [this.below, this.above]) {
      canvas.width = Math.max(1, Math.round(size.width * ratio));
      canvas.height = Math.max(1, Math.round(size.height * ratio));
    }
    this.all();
  }

  /** `feather`: source pixels over which the edge fades inward, 0 for a crisp edge. */
  style(ink: Omit<Ink, "period">, masked: boolean, feather: number): void {
    [this.ink, this.masked, this.feather] = [{ ...ink, period: 1 }, masked, feather];
    this.all();
  }

  /** The mask changed within this rectangle of the picture. */
  touch(rect: Rect | null): void {
    if (!rect) return;
    this.dirty = union(this.dirty, rect);
    this.schedule();
  }

  all(): void {
    this.stale = true;
    this.schedule();
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
  }

  private schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private get deviceView(): View {
    const { scale, x, y } = this.view;
    return { scale: scale * this.ratio, x: x * this.ratio, y: y * this.ratio };
  }

  private draw(): void {
    if (this.stale) this.drawPicture();
    const whole = { x: 0, y: 0, width: this.above.width, height: this.above.height };
    const at = this.picture;
    const within = this.stale ? at && { x: 0, y: 0, width: at.width, height: at.height } : this.dirty;
    const context = this.above.getContext("2d")!;
    if (this.stale) context.clearRect(0, 0, whole.width, whole.height);
    const area = within && covered(within, this.deviceView, whole.width, whole.height);
    if (at && area && this.masked) this.drawMask(context, at, area);
    [this.stale, this.dirty] = [false, null];
  }

  private drawPicture(): void {
    const context = this.below.getContext("2d")!;
    context.clearRect(0, 0, this.below.width, this.below.height);
    if (!this.picture) return;
    const { scale, x, y } = this.deviceView;
    // A hairline, no shadow: a shadowed canvas is blurred anew in every frame that is painted.
    context.fillStyle = "rgb(0 0 0 / 22%)";
    context.fillRect(x - this.ratio, y - this.ratio, this.picture.width * scale + 2 * this.ratio, this.picture.height * scale + 2 * this.ratio);
    context.clearRect(x, y, this.picture.width * scale, this.picture.height * scale);
    context.imageSmoothingEnabled = scale < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture.bitmap, x, y, this.picture.width * scale, this.picture.height * scale);
  }

  private drawMask(context: CanvasRenderingContext2D, at: Picture, area: Rect): void {
    const [view, ink] = [this.deviceView, { ...this.ink, period: Math.round(STRIPES * this.ratio) }];
    if (this.feather) drawFeathered(context, at.mask, view, area, ink, this.feather * view.scale);
    else drawMask(context, at.mask, view, area, ink);
  }
}
