/** The history: kept in this browser alone. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { save } from "../result/download";
import { Thumb } from "../result/result";
import { dollars } from "../ui/composer";
import { Icon } from "../ui/icons";
import { allPast, dropPast, type Past } from "./db";

export function PastGrid({ close, show }: { close: () => void; show: (past: Past) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const rows = useSignal<Past[] | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    allPast().then(
      (found) => (rows.value = found),
      () => (rows.value = []),
    );
  }, []);
  const remove = async (past: Past) => {
    await dropPast(past.id);
    rows.value = rows.value?.filter((each) => each.id !== past.id) ?? null;
  };
  return (
    <dialog ref={dialog} class="past" aria-labelledby="past-title" onClose={close} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="past-head">
        <h2 id="past-title">History</h2>
        <span class="top-side">
          <button type="button" class="quiet" disabled={!rows.value?.length} onClick={() => save(exported(rows.value ?? []), "tollbrush-history.json")}>
            <Icon name="import" /> Export
          </button>
          <button type="button" class="tool" aria-label="Close the history" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </span>
      </div>
      {rows.value?.length === 0 && <p class="empty">Nothing yet. Every edit you pay for is kept here, in this browser alone.</p>}
      <ul class="grid">
        {rows.value?.map((past) => (
          <li key={past.id}>
            <button
              type="button"
              class="card"
              onClick={() => {
                show(past);
                dialog.current?.close();
              }}
            >
              <Thumb file={past.results[0]!} />
              <span class="card-words">{past.prompt}</span>
              <span class="card-when">
                {new Date(past.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })} · {dollars(past.answer.price.amount)}
              </span>
            </button>
            <button type="button" class="tool remove" aria-label={`Remove: ${past.prompt}`} title="Remove from this browser" onClick={() => remove(past)}>
              <Icon name="clear" />
            </button>
          </li>
        ))}
      </ul>
    </dialog>
  );
}

/** Words and receipts with where the pictures were; the pictures themselves are downloaded one by one. */
function exported(rows: readonly Past[]): Blob {
  const told = rows.map(({ id, at, name, prompt, answer }) => ({ id, at: new Date(at).toISOString(), name, prompt, answer }));
  return new Blob([JSON.stringify(told, null, 2)], { type: "application/json" });
}
