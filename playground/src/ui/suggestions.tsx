/** What the chosen model can do, as words to begin with. */

import type { Ability } from "../api/types";
import { masked, model, prompt } from "../state/order";

const MASKED: readonly string[] = ["remove this", "make it deep blue", "blur this"];
const ANY: readonly string[] = ["change the background to a starry sky", "remove the background", "add a hat", "make it black and white", "turn it into a watercolour", "a warm sunset sky"];

export function Suggestions() {
  const known = model.value?.abilities ?? [];
  const needing = (mask: boolean) => known.filter((each: Ability) => mask === (each.needs === "mask")).map((each) => each.example);
  const words = !known.length ? (masked.value ? MASKED : ANY) : masked.value ? [...needing(true), ...needing(false)] : needing(false);
  return (
    <div class="suggestions" role="group" aria-label="Suggestions">
      {words.map((each) => (
        <button
          key={each}
          type="button"
          onClick={() => {
            prompt.value = each;
            document.getElementById("prompt")?.focus();
          }}
        >
          {each}
        </button>
      ))}
    </div>
  );
}
