/** How far the edit is, along the lower edge of the picture. */

import { job } from "../state/work";

export function Progress() {
  const part = job.value?.progress ?? null;
  return (
    <div class="progress" role="progressbar" aria-label="The edit" aria-valuemin={0} aria-valuemax={100} aria-valuenow={part === null ? undefined : Math.round(part * 100)}>
      <span class={part === null ? "bar unknown" : "bar"} style={part === null ? {} : { width: `${part * 100}%` }} />
    </div>
  );
}
