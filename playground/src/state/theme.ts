/** Light or dark: the system's choice until the reader makes their own. */

import { effect, signal } from "@preact/signals";

type Theme = "light" | "dark";

const KEY = "tollbrush.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal<Theme | null>(remembered());

export const theme = signal<Theme>("light");

export function followTheme(): void {
  const apply = () => {
    theme.value = chosen.value ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset["theme"] = theme.value;
  };
  effect(apply);
  system.addEventListener("change", apply);
}

export function toggleTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen.value);
  } catch {
    // a browser that keeps nothing: the choice lasts as long as the page
  }
}

function remembered(): Theme | null {
  try {
    const found = localStorage.getItem(KEY);
    return found === "dark" || found === "light" ? found : null;
  } catch {
    return null;
  }
}
