/** One edit at a time: from the button to the result, through reloads. */

import { computed, signal } from "@preact/signals";
import { Problem, send } from "../api/http";
import type { Answer, Job, Order } from "../api/types";
import { encode } from "../mask/png";
import { allOpen, dropOpen, keepOpen, keepPast, type Open, type Past, StorageFull } from "../past/db";
import type { Purse, Ticket, Told } from "../pay/purse";
import { count, format, masked, model, modelId, prompt, quote, seed, size } from "./order";
import { picture } from "./picture";

export type Phase = "idle" | "signing" | "sending" | "working" | "fetching";

export const phase = signal<Phase>("idle");
export const job = signal<Job | null>(null);
export const problem = signal<Problem | null>(null);
export const result = signal<Past | null>(null);
/** Something worth knowing that is no failure. */
export const notice = signal("");
export const busy = computed(() => phase.value !== "idle");

let running: { stop: AbortController; purse: Purse; ticket: Ticket | null } | null = null;

const hear = (told: Told) => {
  phase.value = told.kind;
  job.value = told.kind === "working" ? told.job : null;
};

/** Buys the edit that the page shows. */
export async function edit(purse: Purse): Promise<void> {
  const [at, asked, chosen] = [picture.value, quote.value, model.value];
  if (!at || !asked || !chosen || busy.value) return;
  const order: Order = {
    model: modelId.value,
    prompt: prompt.value.trim(),
    size: size.value,
    n: count.value,
    seed: seed.value,
    format: format.value,
    image: at.file,
    mask: masked.value && chosen.mask ? await encode(at.mask) : null,
  };
  const open = { id: crypto.randomUUID(), at: Date.now(), name: at.name, prompt: order.prompt, source: at.file };
  await follow(purse, open, (stop, keep) => purse.buy(order, asked, hear, keep, stop));
}

/** Goes on with what an earlier page left under way. */
export async function resume(purse: Purse): Promise<void> {
  const [left] = busy.value ? [] : await allOpen().catch(() => []);
  if (left) await follow(purse, left, (stop) => purse.resume(left.ticket, hear, stop), left.ticket);
}

export async function stop(): Promise<void> {
  if (!running) return;
  const { ticket, purse, stop } = running;
  try {
    if (ticket) await purse.cancel(ticket);
    stop.abort();
  } catch (failure) {
    problem.value = asProblem(failure);
  }
}

type Attempt = (stop: AbortSignal, keep: (ticket: Ticket) => Promise<void>) => Promise<Answer>;

async function follow(purse: Purse, open: Omit<Open, "ticket">, attempt: Attempt, ticket: Ticket | null = null): Promise<void> {
  const mine = (running = { stop: new AbortController(), purse, ticket });
  [problem.value, notice.value] = [null, ""];
  const keep = async (fresh: Ticket) => {
    mine.ticket = fresh;
    await keepOpen({ ...open, ticket: fresh }).catch((failure: unknown) => {
      if (!(failure instanceof StorageFull)) throw failure;
      notice.value = "This browser's storage is full: do not close the page before the edit is done.";
    });
  };
  try {
    hear({ kind: "sending" });
    const answer = await attempt(mine.stop.signal, keep);
    phase.value = "fetching";
    await bring(open, answer);
    await dropOpen(open.id).catch(() => undefined);
  } catch (failure) {
    const stopped = failure instanceof DOMException && failure.name === "AbortError";
    if (!stopped) problem.value = asProblem(failure);
    if (stopped || !(failure instanceof Problem && failure.passing)) await dropOpen(open.id).catch(() => undefined);
  } finally {
    running = null;
    [phase.value, job.value] = ["idle", null];
  }
}

async function bring(open: Omit<Open, "ticket">, answer: Answer): Promise<void> {
  const results = await Promise.all(answer.data.map(async (each) => (await send(each.url)).blob()));
  const past: Past = { ...open, answer, results };
  result.value = past;
  await keepPast(past).catch(() => {
    notice.value = "This browser's storage is full: the result is not in its history. Download it, or remove old ones.";
  });
}

function asProblem(failure: unknown): Problem {
  return failure instanceof Problem ? failure : new Problem("Something unforeseen broke in this page. Reload it; nothing that was paid is lost.", -1);
}
