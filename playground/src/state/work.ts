/** One edit at a time: from the button to the result, through reloads. */

import { computed, signal } from "@preact/signals";
import { Problem, problemOf, send } from "../api/http";
import type { Answer, Job, Order, Quote } from "../api/types";
import { encode } from "../mask/png";
import { allOpen, dropOpen, keepOpen, keepPast, type Open, type Past, StorageFull } from "../past/db";
import { cancel, carryOut } from "../pay/following";
import type { Purse, Ticket, Told } from "../pay/purse";
import { count, format, masked, model, modelId, prompt, quote, seed, size } from "./order";
import { picture } from "./picture";

export type Phase = "idle" | "signing" | "sending" | "working" | "away" | "fetching";

export const phase = signal<Phase>("idle");
/** Signing a second time, for an edit that is done. */
export const signingAgain = signal(false);
export const job = signal<Job | null>(null);
/** The newest unfinished picture of the edit under way: a data URI. */
export const preview = signal("");
export const problem = signal<Problem | null>(null);
export const result = signal<Past | null>(null);
/** An edit that was sent and has not come to its end: the reader may go on with it. */
export const left = signal<Open | null>(null);
/** Something worth knowing that is no failure. */
export const notice = signal("");
export const busy = computed(() => phase.value !== "idle");

let running: { stop: AbortController; open: Open | null } | null = null;

const hear = (told: Told) => {
  phase.value = told.kind;
  signingAgain.value = told.kind === "signing" && told.again === true;
  job.value = told.kind === "working" ? told.job : told.kind === "away" ? job.value : null;
  if (told.kind === "working" && told.job.preview) preview.value = told.job.preview;
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
      previews: chosen.previews ?? 0,
      image: at.file,
      mask: masked.value && chosen.mask ? await encode(at.mask) : null,
    };
    phase.value = "signing";
    const payment = await unless(stop, purse.sign(asked));
    const open: Open = { id: crypto.randomUUID(), at: Date.now(), name: at.name, order, ticket: { poll: "", payment } };
    await keep(open);
    await follow(open, purse, stop);
  });
}

/** Goes on with what an earlier page, or this one, left under way. */
export async function resume(purse: Purse | null): Promise<void> {
  const open = (busy.value ? null : await underWay()) ?? left.value;
  if (open && !busy.value) await run((stop) => follow(open, purse, stop));
}

/** What an earlier page left under way; what another tab follows is that tab's. */
export async function underWay(): Promise<Open | null> {
  const held = (await navigator.locks?.query())?.held?.map((lock) => lock.name) ?? [];
  const all = await allOpen().catch(() => []);
  return all.find(({ id }) => !held.includes(id)) ?? null;
}

/** Gives it up here; what was paid for stays paid, and what was not never will be. */
export async function abandon(open: Open): Promise<void> {
  [left.value, problem.value] = [null, null];
  await dropOpen(open.id).catch(() => undefined);
}

/** While it is being sent nobody knows yet whether it will be charged, so then it cannot be stopped. */
export const stoppable = computed(() => (phase.value === "signing" && !signingAgain.value) || (phase.value === "working" && Boolean(job.value?.id)));

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
  [problem.value, notice.value, left.value] = [null, "", null];
  try {
    phase.value = "sending";
    await act(mine.stop.signal);
  } catch (failure) {
    if (!(failure instanceof DOMException && failure.name === "AbortError")) problem.value = asProblem(failure);
  } finally {
    running = null;
    [phase.value, job.value, preview.value] = ["idle", null, ""];
  }
}

/** In one tab at a time, where the browser can tell. */
async function follow(open: Open, purse: Purse | null, stop: AbortSignal): Promise<void> {
  const act = () => finish(open, purse, stop);
  await (navigator.locks?.request(open.id, act) ?? act());
}

/** A wallet whose window was lost may never answer: then stopping ends the wait. What it signs later is not sent. */
async function unless<T>(stop: AbortSignal, waiting: Promise<T>): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")), { once: true });
  });
  return Promise.race([waiting, stopped]);
}

async function finish(open: Open, purse: Purse | null, stop: AbortSignal): Promise<void> {
  if (running) running.open = open;
  const sign = async (asked: Quote) => {
    if (purse) return purse.sign(asked);
    throw new Problem("This edit is ready, and its payment lapsed meanwhile. Connect the wallet that ordered it, then go on.", 402, "reconnect");
  };
  const named = (ticket: Ticket) => {
    open.ticket = ticket;
    return keep(open);
  };
  try {
    open.answer ??= await carryOut(open.order, open.at, open.ticket, { told: hear, keep: named, sign, signal: stop });
    await keep(open);
    await bring(open, open.answer);
  } catch (failure) {
    if (failure instanceof Problem) {
      // What may still come to an end keeps its ticket.
      if (over(failure, open)) await dropOpen(open.id).catch(() => undefined);
      else left.value = open;
    }
    throw failure;
  }
  await dropOpen(open.id).catch(() => undefined);
}

/** Whether nothing more can come of it: refused before it was begun, failed, cancelled, or unknown to the server. */
function over(failure: Problem, open: Open): boolean {
  if (open.answer) return false;
  if (!open.ticket.poll) return !failure.passing;
  return failure.status === 200 || failure.status === 404;
}

async function keep(open: Open): Promise<void> {
  await keepOpen(open).catch(() => {
    notice.value = "This browser keeps nothing at the moment: do not close the page before the edit is done.";
  });
}

/** Fetches the pictures. Their server is the page's own, whatever name it knows itself by. */
async function bring(open: Open, answer: Answer): Promise<void> {
  phase.value = "fetching";
  const results = await Promise.all(
    answer.data.map(async ({ url }) => {
      const response = await send(url.replace(/^.*\/images\//, "images/"));
      if (!response.ok) throw await problemOf(response);
      return response.blob();
    }),
  );
  const { id, at, name, order } = open;
  const past: Past = { id, at, name, prompt: order.prompt, answer, source: order.image, results };
  result.value = past;
  await keepPast(past).catch((failure) => {
    const why = failure instanceof StorageFull ? "This browser's storage is full" : "This browser keeps nothing at the moment";
    notice.value = `${why}: this result is not in its history. Download it now, or remove old ones from the history.`;
  });
}

function asProblem(failure: unknown): Problem {
  if (failure instanceof Problem) return failure;
  console.error(failure);
  return new Problem("Something unforeseen broke in this page. Reload it; nothing that was paid is lost.", -1);
}
