/** The picture to paint on. Everything a pointer can do here a keyboard can do too: arrows move a cursor, Space paints. */

import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Dab, stroke } from "../mask/brush";
import { fill } from "../mask/fill";
import { maskRevision, type Picture } from "../state/picture";
import { brushRadius, featherShown, originalShown, tool, wholeAsked } from "../state/tools";
import { listen } from "./gestures";
import { Surface } from "./surface";
import { fitted, panned, type Point, type Size, toPicture, type View, zoomed } from "./view";

/** As the server blends: 2 pixels at 1024. */
const featherOf = (at: Picture) => Math.max(1, Math.round(Math.min(at.width, at.height) / 512));

export function Stage({ at }: { at: Picture }) {
  const box = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const cursor = useSignal<{ point: Point; radius: number } | null>(null);

  useEffect(() => mount(at, box.current!, below.current!, above.current!, (point, radius) => {
    cursor.value = point && { point, radius };
  }), [at]);

  const ring = cursor.value;
  return (
    <div
      ref={box}
      class={`stage tool-${tool.value}`}
      tabIndex={0}
      role="application"
      aria-label={`${at.name}, ${at.width} by ${at.height} pixels. Arrow keys move the brush, Space paints with the chosen tool, plus and minus zoom.`}
      aria-roledescription="mask painter"
    >
      <canvas ref={below} class="picture" aria-hidden="true" />
      <canvas ref={above} class="ink" aria-hidden="true" />
      {ring && tool.value !== "pan" && (
        <span
          class="ring"
          aria-hidden="true"
          style={{ transform: `translate(${ring.point.x - ring.radius}px, ${ring.point.y - ring.radius}px)`, width: `${2 * ring.radius}px`, height: `${2 * ring.radius}px` }}
        />
      )}
    </div>
  );
}

/** Wires one picture to the stage; returns how to let go of it. */
function mount(at: Picture, box: HTMLElement, below: HTMLCanvasElement, above: HTMLCanvasElement, hover: (point: Point | null, radius: number) => void): () => void {
  const surface = new Surface(below, above);
  let size: Size = { width: box.clientWidth, height: box.clientHeight };
  let view: View = fitted(at, size);
  let last: Dab | null = null;
  let spot: Point | null = null;

  const show = (next: View) => {
    view = next;
    surface.show(at, view);
    if (spot) hover(spot, brushRadius.value * view.scale);
  };
  const dab = (point: Point, pressure: number): Dab => ({ ...toPicture(view, point), radius: brushRadius.value * pressure });
  const paint = (to: Dab) => {
    surface.touch(stroke(at.mask, last ?? to, to, tool.value === "eraser" ? 0 : 1));
    last = to;
  };
  const done = () => {
    at.history.commit();
    last = null;
    maskRevision.value++;
  };
  const actions = {
    begin(point: Point, pressure: number) {
      if (tool.value === "fill") {
        const { x, y } = toPicture(view, point);
        at.history.change(() => fill(at.mask, Math.floor(x), Math.floor(y)));
        maskRevision.value++;
        return;
      }
      at.history.open();
      paint(dab(point, pressure));
    },
    move(point: Point, pressure: number) {
      if (last) paint(dab(point, pressure));
    },
    end: () => last && done(),
    abandon() {
      if (!last) return;
      done();
      at.history.undo();
      maskRevision.value++;
    },
    pan: (dx: number, dy: number) => show(panned(view, dx, dy, at, size)),
    zoom: (factor: number, around: Point) => show(zoomed(view, factor, around, at, size)),
    hover(point: Point | null) {
      spot = point;
      hover(point, brushRadius.value * view.scale);
    },
    moves: () => tool.value === "pan" || box.dataset["moving"] === "yes",
  };

  const observer = new ResizeObserver(() => {
    const whole = view.scale === fitted(at, size).scale;
    size = { width: box.clientWidth, height: box.clientHeight };
    surface.resize(size, Math.min(3, devicePixelRatio || 1));
    show(whole ? fitted(at, size) : panned(view, 0, 0, at, size));
  });
  observer.observe(box);
  surface.resize(size, Math.min(3, devicePixelRatio || 1));
  show(view);

  const stopInk = effect(() => {
    maskRevision.value;
    const color = getComputedStyle(box).getPropertyValue("--ink-rgb").split(" ").map(Number);
    const [red = 184, green = 52, blue = 27] = color.length === 3 ? color : [];
    surface.style({ color: [red, green, blue], tint: 118, edge: 245 }, !originalShown.value, featherShown.value ? featherOf(at) : 0);
  });
  const stopWhole = effect(() => {
    if (wholeAsked.value) show(fitted(at, size));
  });
  const stopSize = effect(() => {
    const radius = brushRadius.value;
    if (spot) hover(spot, radius * view.scale);
  });
  const stopPointers = listen(box, actions);
  const keys = keyboard(actions, () => spot ?? { x: size.width / 2, y: size.height / 2 }, () => brushRadius.value * view.scale, () => show(fitted(at, size)), () => last !== null);
  box.addEventListener("keydown", keys.down);
  box.addEventListener("keyup", keys.up);
  return () => {
    observer.disconnect();
    surface.stop();
    stopInk();
    stopSize();
    stopWhole();
    stopPointers();
    box.removeEventListener("keydown", keys.down);
    box.removeEventListener("keyup", keys.up);
  };
}

interface Keyed {
  begin(at: Point, pressure: number): void;
  move(at: Point, pressure: number): void;
  end(): void;
  zoom(factor: number, around: Point): void;
  hover(at: Point | null): void;
}

const ARROWS: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Painting without a pointer. Space held paints along the arrows; released it ends the stroke. */
function keyboard(actions: Keyed, spot: () => Point, reach: () => number, whole: () => void, painting: () => boolean) {
  return {
    down(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const arrow = ARROWS[event.key];
      if (arrow) {
        const step = event.shiftKey ? 1 : Math.max(2, reach() / 2);
        const to = { x: spot().x + arrow[0] * step, y: spot().y + arrow[1] * step };
        actions.hover(to);
        if (painting()) actions.move(to, 1);
      } else if (event.key === " ") {
        if (!event.repeat) actions.begin(spot(), 1);
      } else if (event.key === "+" || event.key === "=") actions.zoom(1.25, spot());
      else if (event.key === "-") actions.zoom(0.8, spot());
      else if (event.key === "0") whole();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    up(event: KeyboardEvent) {
      if (event.key === " ") actions.end();
    },
  };
}
