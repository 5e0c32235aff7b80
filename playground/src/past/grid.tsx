/** The history: kept in this browser alone. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { save } from "../result/download";
import { Thumb } from "../result/result";
import { dollars } from "../ui/composer";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { allPast, dropPast, MOST, type Past } from "./db";

export function PastGrid({ close, show }: { close: () => void; show: (past: Past) => void }) {
  const rows = useSignal<Past[] | null>(null);
  useEffect(() => {
    allPast().then(
      (found) => (rows.value = found),
      () => (rows.value = []),
    );
  }, []);
  const remove = async (past: Past) => {
    await dropPast(past.id);
    rows.value = rows.value?.filter((each) => each.id !== past.id) ?? null;
  };
  const found = rows.value ?? [];
  const acts = (
    <button type="button" class="quiet" disabled={!found.length} onClick={async () => save(await exported(found), "tollbrush-history.json")}>
      <Icon name="save" /> Export
    </button>
  );
  return (
    <Dialog title="History" close={close} acts={acts} wide>
      {rows.value?.length === 0 && <p class="empty">Nothing yet. Every edit you pay for is kept here, in this browser alone.</p>}
      <ul class="grid">
        {found.map((past) => (
          <li key={past.id}>
            <button
              type="button"
              class="card"
              onClick={() => {
                show(past);
                close();
              }}
            >
              <Thumb file={past.results[0]!} />
              <span class="card-words">{past.prompt}</span>
              <span class="card-when">
                <span>{new Date(past.at).toLocaleString(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" })}</span>
                <span>{dollars(past.answer.price.amount)}</span>
              </span>
            </button>
            <button type="button" class="tool remove" aria-label={`Remove: ${past.prompt}`} title="Remove from this browser" onClick={() => remove(past)}>
              <Icon name="clear" />
            </button>
          </li>
        ))}
      </ul>
      {found.length > 0 && <p class="hint">Kept in this browser alone, the newest {MOST}. Export them before you clear its data.</p>}
    </Dialog>
  );
}

/** All of it in one file: words, receipts, and the pictures as data URIs. Written in pieces, never as one long text. */
async function exported(rows: readonly Past[]): Promise<Blob> {
  const parts: BlobPart[] = ["["];
  for (const { id, at, name, prompt, answer, source, results } of rows) {
    const told = JSON.stringify({ id, at: new Date(at).toISOString(), name, prompt, answer });
    parts.push(parts.length > 1 ? ",\n" : "\n", told.slice(0, -1), ',"source":', await quoted(source), ',"results":[');
    for (const [i, each] of results.entries()) parts.push(i ? "," : "", await quoted(each));
    parts.push("]}");
  }
  return new Blob([...parts, "\n]\n"], { type: "application/json" });
}

/** A picture as a JSON string with its data URI; a Blob, so that memory holds one at a time. */
function quoted(file: Blob): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(new Blob([JSON.stringify(reader.result)]));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
