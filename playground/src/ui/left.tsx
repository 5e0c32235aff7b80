/** An edit that was sent and has not come to its end. */

import { abandon, busy, left, notice, result } from "../state/work";

export function Left({ goOn }: { goOn: () => void }) {
  const open = left.value;
  const words = result.value ? notice.value : ""; // with a picture to paint on, the composer says it
  if (!words && (!open || busy.value)) return null;
  return (
    <div class="left">
      {words && (
        <p class="says" role="status">
          {words}
        </p>
      )}
      {open && !busy.value && (
        <div class="says" role="status">
          <span>
            “{open.order.prompt}” was sent and is not finished. It is not paid for twice.
          </span>
          <button type="button" class="quiet framed" onClick={goOn}>
            Go on
          </button>
          <button type="button" class="quiet" onClick={() => void abandon(open)}>
            Give up
          </button>
        </div>
      )}
    </div>
  );
}
