/** One edit at a time: from the button to the result, through reloads. */

import { computed, signal } from "@preact/signals";
import { Problem, send } from "../api/http";
import type { Answer, Job, Order } from "../api/types";
import { encode } from "../mask/png";
import { allOpen, dropOpen, keepOpen, keepPast, type Open, type Past } from "../past/db";
import { cancel, carryOut } from "../pay/following";
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

let running: { stop: AbortController; open: Open | null } | null = null;

const hear = (told: Told) => {
  phase.value = told.kind;
  job.value = told.kind === "working" ? told.job : null;
};

/** Buys the edit that the page shows. */
export async function edit(purse: Purse): Promise<void> {
  const [at, asked, chosen] = [picture.value, quote.value, model.value];
  if (!at || !asked || !chosen || busy.value) return;
  await run(async (stop) => {
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
    phase.value = "signing";
    const payment = await purse.sign(order, asked);
    if (stop.aborted) return;
    const open: Open = { id: crypto.randomUUID(), at: Date.now(), name: at.name, order, ticket: { poll: "", payment } };
    await keep(open);
    await finish(open, stop);
  });
}

/** Goes on with what an earlier page left under way. */
export async function resume(): Promise<void> {
  const [left] = busy.value ? [] : await allOpen().catch(() => []);
  if (left) await run((stop) => finish(left, stop));
}

/** While it is being sent nobody knows yet whether it will be charged, so then it cannot be stopped. */
export const stoppable = computed(() => phase.value === "signing" || (phase.value === "working" && Boolean(job.value?.id)));

export async function stop(): Promise<void> {
  if (!running || !stoppable.value) return;
  const { open, stop } = running;
  try {
    if (open) {
      await cancel(open.ticket);
      await dropOpen(open.id).catch(() => undefined);
    }
    stop.abort();
  } catch (failure) {
    problem.value = asProblem(failure);
  }
}

async function run(act: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const mine = (running = { stop: new AbortController(), open: null });
  [problem.value, notice.value] = [null, ""];
  try {
    phase.value = "sending";
    await act(mine.stop.signal);
  } catch (failure) {
    if (!(failure instanceof DOMException && failure.name === "AbortError")) problem.value = asProblem(failure);
  } finally {
    running = null;
    [phase.value, job.value] = ["idle", null];
  }
}

async function finish(open: Open, stop: AbortSignal): Promise<void> {
  if (running) running.open = open;
  const named = (ticket: Ticket) => {
    open.ticket = ticket;
    return keep(open);
  };
  try {
    await bring(open, await carryOut(open.order, open.ticket, hear, named, stop));
  } catch (failure) {
    // What may still come to an end keeps its ticket: the next page goes on with it.
    if (failure instanceof Problem && !failure.passing) await dropOpen(open.id).catch(() => undefined);
    throw failure;
  }
  await dropOpen(open.id).catch(() => undefined);
}

async function keep(open: Open): Promise<void> {
  await keepOpen(open).catch(() => {
    notice.value = "This browser keeps nothing at the moment: do not close the page before the edit is done.";
  });
}

async function bring(open: Open, answer: Answer): Promise<void> {
  phase.value = "fetching";
  const results = await Promise.all(answer.data.map(async (each) => (await send(each.url)).blob()));
  const { id, at, name, order } = open;
  const past: Past = { id, at, name, prompt: order.prompt, answer, source: order.image, results };
  result.value = past;
  await keepPast(past).catch(() => {
    notice.value = "This browser's storage is full: the result is not in its history. Download it, or remove old ones.";
  });
}

function asProblem(failure: unknown): Problem {
  if (failure instanceof Problem) return failure;
  console.error(failure);
  return new Problem("Something unforeseen broke in this page. Reload it; nothing that was paid is lost.", -1);
}
