/** The keys, for those who look for them. */

import { Dialog } from "./dialog";

const KEYS: readonly [string, readonly string[]][] = [
  ["Brush, eraser, fill, move", ["B", "E", "F", "H"]],
  ["Smaller or larger brush", ["[", "]"]],
  ["Invert the mask", ["I"]],
  ["Undo, redo", ["Ctrl Z", "Ctrl Shift Z"]],
  ["The original, while held", ["O", "Tab"]],
  ["Zoom in, zoom out, whole picture", ["+", "−", "0"]],
  ["Move the brush, finely", ["Arrows", "Shift Arrows"]],
  ["Paint where the brush is", ["Space"]],
  ["Edit", ["Enter"]],
];

export function Help({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys and gestures" close={close}>
      <dl class="keys">
        {KEYS.map(([what, keys]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <p class="hint">Two fingers move and zoom; so does the wheel, and the middle button drags. A pen paints by its pressure.</p>
    </Dialog>
  );
}
