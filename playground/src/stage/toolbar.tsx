/** The painter's tools, and what can be done with the mask as a whole. */

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { encode } from "../mask/png";
import { save } from "../result/download";
import { maskRevision, type Picture } from "../state/picture";
import { brushSize, featherShown, LARGEST, SMALLEST, tool, type Tool, wholeAsked } from "../state/tools";
import { busy } from "../state/work";
import { Icon, type IconName } from "../ui/icons";
import { importMask, redo, undo } from "./actions";
import { ACCEPTED } from "./welcome";

const TOOLS: readonly [Tool, string, string][] = [
  ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"],
  ["fill", "Fill", "F"],
  ["pan", "Move the picture", "H"],
];

export function Toolbar({ at, fail, replace }: { at: Picture; fail: (words: string) => void; replace: (file: File) => void }) {
  const [input, other] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  maskRevision.value;
  const painted = at.mask.bounds() !== null;
  const change = (act: () => void) => {
    at.history.change(act);
    maskRevision.value++;
  };
  return (
    <div class="toolbar" role="toolbar" aria-label="Mask tools" inert={busy.value}>
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
      <Act icon="whole" label="Show the whole picture (0)" act={() => wholeAsked.value++} />
      <Act icon="load" label="Load a mask" act={() => input.current?.click()} />
      <Act icon="save" label="Save the mask" off={!painted} act={async () => save(await encode(at.mask), `${stem(at.name)}-mask.png`)} />
      <span class="rule" />
      <button type="button" class="quiet other" title="Edit another picture" onClick={() => other.current?.click()}>
        <Icon name="picture" />
        <span>
          New<span class="hidden"> picture</span>
        </span>
      </button>
      <Chooser refer={other} accept={ACCEPTED} label="Another picture file" choose={replace} />
      <Chooser refer={input} accept={ACCEPTED} label="Mask file" choose={(file) => void importMask(at, file, file.name).catch((failure: Error) => fail(failure.message))} />
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

/** A file input that a button opens. */
function Chooser({ refer, accept, label, choose }: { refer: RefObject<HTMLInputElement | null>; accept: string; label: string; choose: (file: File) => void }) {
  return (
    <input
      ref={refer}
      class="hidden"
      type="file"
      accept={accept}
      tabIndex={-1}
      aria-hidden="true"
      aria-label={label}
      onChange={(event) => {
        const file = event.currentTarget.files?.[0];
        event.currentTarget.value = "";
        if (file) choose(file);
      }}
    />
  );
}

/** How much of the picture is painted. */
export function Painted({ at }: { at: Picture }) {
  maskRevision.value;
  const part = (100 * at.mask.count()) / (at.width * at.height);
  const share = part < 1 ? "under 1 %" : part > 99 && part < 100 ? "over 99 %" : `${Math.round(part)} %`;
  return (
    <p class="painted" role="status">
      {part ? `${share} painted` : "Nothing painted: all may change"}
    </p>
  );
}

const stem = (name: string) => name.replace(/\.[^.]*$/, "") || "picture";
