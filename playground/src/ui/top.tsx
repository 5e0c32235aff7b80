import type { ComponentChildren } from "preact";
import { theme, toggleTheme } from "../state/theme";
import { Icon } from "./icons";

/** The bar above everything: who this is, who pays, what was made. */
export function Top({ wallet, past, help }: { wallet: ComponentChildren; past: () => void; help: () => void }) {
  const other = theme.value === "dark" ? "light" : "dark";
  return (
    <header class="top">
      <h1 class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        tollbrush
      </h1>
      <div class="top-side">
        {wallet}
        <button type="button" class="quiet" onClick={past}>
          <Icon name="past" />
          <span class="wide">History</span>
          <span class="hidden narrow">History</span>
        </button>
        <button type="button" class="tool" onClick={help} aria-label="Keys and gestures" title="Keys and gestures (?)">
          <Icon name="help" />
        </button>
        <button type="button" class="tool" onClick={toggleTheme} aria-label={`Switch to the ${other} theme`} title={`${other} theme`}>
          <Icon name={other} />
        </button>
      </div>
    </header>
  );
}
