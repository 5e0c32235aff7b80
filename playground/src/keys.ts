/** Keys of the whole page; in a text field only those with Ctrl, and not its own undo. */

import { redo, undo } from "./stage/actions";
import { maskRevision, picture } from "./state/picture";
import { result } from "./state/work";
import { helpAsked, originalShown, resizeBrush, tool, type Tool } from "./state/tools";

const TOOLS: Record<string, Tool> = { b: "brush", e: "eraser", f: "fill", h: "pan" };

export function listenKeys(): () => void {
  const down = (event: KeyboardEvent) => {
    const at = picture.value;
    if (typing(event) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "?" && !event.ctrlKey && !event.metaKey) helpAsked.value++;
    if (key === "o" && !event.ctrlKey && !event.metaKey) originalShown.value = true;
    if (!at || result.value) return;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" && !event.shiftKey) undo(at);
      else if (key === "y" || key === "z") redo(at);
      else return;
    } else if (event.altKey) return;
    else if (key === "tab" && !travelling()) originalShown.value = true;
    else if (key === "[") resizeBrush(1 / 1.15);
    else if (key === "]") resizeBrush(1.15);
    else if (key === "i") {
      at.history.change(() => at.mask.invert());
      maskRevision.value++;
    } else if (TOOLS[key]) tool.value = TOOLS[key];
    else return;
    event.preventDefault();
  };
  const up = (event: KeyboardEvent) => {
    if (["tab", "o"].includes(event.key.toLowerCase())) originalShown.value = false;
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
  };
}

/** Whether Tab is for moving on: it is, unless a pointer has just painted. */
function travelling(): boolean {
  const at = document.activeElement;
  return !at?.classList.contains("stage") || at.matches(":focus-visible");
}

function typing(event: KeyboardEvent): boolean {
  const at = event.target;
  return at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement || (at instanceof HTMLInputElement && at.type !== "range");
}
