/** The painter's tools, and what can be done with the mask as a whole. */

import { useRef } from "preact/hooks";
import { encode } from "../mask/png";
import { save } from "../result/download";
import { maskRevision, type Picture } from "../state/picture";
import { brushSize, featherShown, LARGEST, SMALLEST, tool, type Tool } from "../state/tools";
import { Icon, type IconName } from "../ui/icons";
import { importMask, undo, redo } from "./actions";

const TOOLS: readonly [Tool, string, string][] = [
  ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"],
  ["fill", "Fill", "F"],
  ["pan", "Move the picture", "H"],
];

export function Toolbar({ at, fail }: { at: Picture; fail: (words: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  maskRevision.value;
  const painted = at.mask.bounds() !== null;
  const change = (act: () => void) => {
    at.history.change(act);
    maskRevision.value++;
  };
  return (
    <div class="toolbar" role="toolbar" aria-label="Mask tools">
      {TOOLS.map(([name, label, key]) => (
        <button key={name} type="button" class="tool" aria-pressed={tool.value === name} aria-label={label} title={`${label} (${key})`} onClick={() => (tool.value = name)}>
          <Icon name={name as IconName} />
        </button>
      ))}
      <label class="size" title="Brush size ([ and ])">
        <span class="hidden">Brush size</span>
        <input
          type="range"
          min={Math.log(SMALLEST)}
          max={Math.log(LARGEST)}
          step="0.01"
          value={Math.log(brushSize.value)}
          aria-valuetext={`${Math.round(brushSize.value * Math.max(at.width, at.height))} pixels`}
          onInput={(event) => (brushSize.value = Math.exp(Number(event.currentTarget.value)))}
        />
      </label>
      <span class="rule" />
      <Act icon="undo" label="Undo (Ctrl+Z)" off={!at.history.canUndo} act={() => undo(at)} />
      <Act icon="redo" label="Redo (Ctrl+Shift+Z)" off={!at.history.canRedo} act={() => redo(at)} />
      <span class="rule" />
      <Act icon="invert" label="Invert the mask (I)" act={() => change(() => at.mask.invert())} />
      <Act icon="clear" label="Clear the mask" off={!painted} act={() => change(() => at.mask.clear(0))} />
      <button type="button" class="tool" aria-pressed={featherShown.value} aria-label="Show the soft edge" title="Show the soft edge as it will be blended" onClick={() => (featherShown.value = !featherShown.value)}>
        <Icon name="feather" />
      </button>
      <Act icon="import" label="Load a mask" act={() => input.current?.click()} />
      <Act icon="export" label="Save the mask" off={!painted} act={async () => save(await encode(at.mask), `${stem(at.name)}-mask.png`)} />
      <input
        ref={input}
        class="hidden"
        type="file"
        accept="image/png,image/jpeg,image/webp,image/gif"
        tabIndex={-1}
        aria-label="Mask file"
        onChange={async (event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) await importMask(at, file).catch((failure: Error) => fail(failure.message));
        }}
      />
    </div>
  );
}

function Act({ icon, label, off = false, act }: { icon: IconName; label: string; off?: boolean; act: () => void }) {
  return (
    <button type="button" class="tool" aria-label={label.replace(/ \(.*/, "")} title={label} disabled={off} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}

const stem = (name: string) => name.replace(/\.[^.]*$/, "") || "picture";
