/** Undo and redo over a mask: at most so many steps, each only the tiles it changed. */

import type { Mask, Rect, Step } from "./mask";

export class History {
  private past: Step[] = [];
  private future: Step[] = [];

  constructor(
    private readonly mask: Mask,
    private readonly limit = 50,
  ) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Runs one change, or everything up to the returned `commit`, as a single step. */
  change(act: () => void): void {
    this.mask.begin();
    try {
      act();
    } finally {
      this.commit();
    }
  }

  /** Opens a step that lasts over several events, such as a stroke. */
  open(): void {
    this.mask.begin();
  }

  commit(): void {
    const step = this.mask.end();
    if (!step.size) return;
    this.past.push(step);
    if (this.past.length > this.limit) this.past.shift();
    this.future = [];
  }

  /** What changed on the way back, or null when there is nothing to undo. */
  undo(): Rect[] | null {
    return this.move(this.past, this.future);
  }

  redo(): Rect[] | null {
    return this.move(this.future, this.past);
  }

  private move(from: Step[], to: Step[]): Rect[] | null {
    const step = from.pop();
    if (!step) return null;
    const areas = this.mask.area(step);
    to.push(this.mask.restore(step));
    return areas;
  }
}
