/** A sheet above the page: closed by Escape, by its button, or by a click beside it. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icons";

interface Shown {
  title: string;
  close: () => void;
  /** Beside the title. */
  acts?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, close, acts, wide = false, children }: Shown) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "sheet wide-sheet" : "sheet"}
      aria-labelledby={name}
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="sheet-head">
        <h2 id={name}>{title}</h2>
        <span class="top-side">
          {acts}
          <button type="button" class="tool" aria-label="Close" title="Close (Esc)" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </span>
      </div>
      <div class="sheet-body">{children}</div>
    </dialog>
  );
}
