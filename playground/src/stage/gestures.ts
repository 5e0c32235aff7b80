/** Pointers on the stage: one paints (a pen by its pressure), two fingers or the middle button move and zoom. */

import type { Point } from "./view";

export interface Actions {
  /** Screen points, CSS pixels within the stage; `pressure` 0..1. */
  begin(at: Point, pressure: number): void;
  move(at: Point, pressure: number): void;
  end(): void;
  /** The stroke under way was no stroke: a second finger came. */
  abandon(): void;
  pan(dx: number, dy: number): void;
  zoom(factor: number, around: Point): void;
  hover(at: Point | null): void;
  /** Whether a plain drag moves the picture. */
  moves(): boolean;
}

export function listen(stage: HTMLElement, actions: Actions): () => void {
  const pointers = new Map<number, Point>();
  let mode: "idle" | "paint" | "move" = "idle";

  const place = (event: MouseEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const pressure = (event: PointerEvent) => (event.pointerType === "pen" ? Math.max(0.05, event.pressure) : 1);

  const down = (event: PointerEvent) => {
    if (event.button === 2) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 2 && mode === "paint") actions.abandon();
    if (pointers.size > 1 || event.button === 1 || actions.moves()) mode = "move";
    else {
      mode = "paint";
      actions.begin(place(event), pressure(event));
    }
  };

  const move = (event: PointerEvent) => {
    if (event.pointerType !== "touch") actions.hover(place(event));
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (mode === "paint") {
      for (const each of event.getCoalescedEvents?.() ?? [event]) actions.move(place(each), pressure(each));
    } else if (mode === "move") travel(before, place(event), pointers, event.pointerId, actions);
    pointers.set(event.pointerId, place(event));
  };

  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (mode === "paint") actions.end();
    if (!pointers.size || mode === "paint") mode = "idle";
  };

  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const step = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey) actions.pan(-event.deltaY * step - event.deltaX * step, 0);
    else actions.zoom(Math.exp(-event.deltaY * step * (event.ctrlKey ? 0.01 : 0.0015)), place(event));
  };

  const leave = () => actions.hover(null);
  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("pointerleave", leave);
  stage.addEventListener("wheel", wheel, { passive: false });
  return () => {
    stage.removeEventListener("pointerdown", down);
    stage.removeEventListener("pointermove", move);
    stage.removeEventListener("pointerup", up);
    stage.removeEventListener("pointercancel", up);
    stage.removeEventListener("pointerleave", leave);
    stage.removeEventListener("wheel", wheel);
  };
}

/** One pointer drags; two pinch around the point between them. */
function travel(before: Point, now: Point, pointers: ReadonlyMap<number, Point>, id: number, actions: Actions): void {
  const other = [...pointers].find(([each]) => each !== id)?.[1];
  if (!other) return actions.pan(now.x - before.x, now.y - before.y);
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  actions.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  const apart = Math.hypot(before.x - other.x, before.y - other.y);
  if (apart > 8) actions.zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, middle);
}
