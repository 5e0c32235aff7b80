/** Where the picture lies on the screen: screen = picture × scale + offset, in CSS pixels. */

export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

const CLOSEST = 32;
/** Around the whole picture. */
const margin = (stage: Size) => (stage.width < 500 ? 10 : 24);

/** The whole picture, centred, never enlarged past its own pixels unless it is tiny. */
export function fitted(picture: Size, stage: Size): View {
  const room = { width: Math.max(1, stage.width - 2 * margin(stage)), height: Math.max(1, stage.height - 2 * margin(stage)) };
  const whole = Math.min(room.width / picture.width, room.height / picture.height);
  const scale = Math.min(whole, Math.max(1, 320 / Math.max(picture.width, picture.height)));
  return centred(picture, stage, scale);
}

function centred(picture: Size, stage: Size, scale: number): View {
  return { scale, x: (stage.width - picture.width * scale) / 2, y: (stage.height - picture.height * scale) / 2 };
}

/** Zoomed by a factor around a point of the screen that stays where it is. */
export function zoomed(view: View, factor: number, around: Point, picture: Size, stage: Size): View {
  const least = Math.min(fitted(picture, stage).scale, 1) / 2;
  const scale = Math.min(CLOSEST, Math.max(least, view.scale * factor));
  const moved = scale / view.scale;
  return held({ scale, x: around.x - (around.x - view.x) * moved, y: around.y - (around.y - view.y) * moved }, picture, stage);
}

export function panned(view: View, dx: number, dy: number, picture: Size, stage: Size): View {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, picture, stage);
}

/** A corner of the picture always stays in reach. */
function held(view: View, picture: Size, stage: Size): View {
  const hold = (offset: number, length: number, room: number) => {
    const kept = Math.min(64, length / 2);
    return Math.min(room - kept, Math.max(kept - length, offset));
  };
  return {
    scale: view.scale,
    x: hold(view.x, picture.width * view.scale, stage.width),
    y: hold(view.y, picture.height * view.scale, stage.height),
  };
}

export function toPicture(view: View, point: Point): Point {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}
