/** What the pointer does, and how the mask is shown. */

import { computed, signal } from "@preact/signals";
import { picture } from "./picture";

export type Tool = "brush" | "eraser" | "fill" | "pan";

export const tool = signal<Tool>("brush");

/** Part of the picture's longer side. */
export const brushSize = signal(0.04);

/** Source pixels. */
export const brushRadius = computed(() => {
  const at = picture.value;
  return at ? Math.max(0.5, (Math.max(at.width, at.height) * brushSize.value) / 2) : 1;
});

export const SMALLEST = 0.002;
export const LARGEST = 0.4;

export function resizeBrush(factor: number): void {
  brushSize.value = Math.min(LARGEST, Math.max(SMALLEST, brushSize.value * factor));
}

/** Whether the edge is drawn as it will be blended: fading inward over a few pixels. */
export const featherShown = signal(false);

/** Counts up when the whole picture is asked for. */
export const wholeAsked = signal(0);

/** Counts up when the keys are asked for. */
export const helpAsked = signal(0);

/** While held, the picture shows without its mask. */
export const originalShown = signal(false);
