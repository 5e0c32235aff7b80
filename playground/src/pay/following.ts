/** An edit from its request to its end. The same payment buys one edit however often it is sent, so what the network
 * swallows is sent again; a job is asked for with growing patience until it is done.
 */

import { formOf } from "../api/calls";
import { json, Problem, problemOf, send } from "../api/http";
import type { Answer, Job, Order } from "../api/types";
import type { Ticket, Told } from "./purse";

const PATIENCE = { first: 700, most: 4000, growth: 1.4 };

const headersOf = (ticket: Pick<Ticket, "payment">): Record<string, string> =>
  ticket.payment ? { "PAYMENT-SIGNATURE": ticket.payment } : {};

/** Sends the edit, or goes on with it where the ticket names a job. `keep` gets the ticket once there is one. */
export async function carryOut(
  order: Order,
  ticket: Ticket,
  told: (state: Told) => void,
  keep: (ticket: Ticket) => Promise<void>,
  signal: AbortSignal,
): Promise<Answer> {
  if (ticket.poll) return follow(ticket, told, signal);
  told({ kind: "sending" });
  const ask = () =>
    send("v1/images/image2image", { method: "POST", body: formOf(order), headers: { Prefer: "wait=1", ...headersOf(ticket) }, signal });
  const response = await patiently(ask, told, signal);
  if (response.status !== 202) return json<Answer>(response);
  const job = await json<Job>(response);
  const named = { ...ticket, poll: (job.poll_url ?? `v1/images/generations/${job.id}`).replace(/^\//, "") };
  await keep(named);
  told({ kind: "working", job });
  return follow(named, told, signal);
}

/** Raises Problem: a failed job, or an answer that no patience mends. */
async function follow(ticket: Ticket, told: (state: Told) => void, signal: AbortSignal): Promise<Answer> {
  let pause = PATIENCE.first;
  for (;;) {
    await sleep(pause, signal);
    pause = Math.min(PATIENCE.most, pause * PATIENCE.growth);
    const response = await patiently(() => send(ticket.poll, { headers: headersOf(ticket), signal }), told, signal);
    if (response.status === 202) {
      told({ kind: "working", job: await json<Job>(response) });
      continue;
    }
    const said = await json<Answer & Job>(response);
    if (said.status === "failed" || said.status === "cancelled") {
      throw new Problem(`${sentence(said.error ?? "The edit failed")} Nothing was charged.`, 200, said.code ?? said.status);
    }
    return said;
  }
}

export async function cancel(ticket: Ticket): Promise<void> {
  const response = await send(ticket.poll, { method: "DELETE", headers: headersOf(ticket) });
  if (!response.ok && response.status !== 404) throw await problemOf(response);
}

/** A network that is away for a moment does not end an edit: asked again, up to five minutes. */
async function patiently(ask: () => Promise<Response>, told: (state: Told) => void, signal: AbortSignal): Promise<Response> {
  const until = Date.now() + 300_000;
  for (;;) {
    try {
      const response = await ask();
      if (response.status !== 503 && response.status !== 429) return response;
      if (Date.now() > until) return response;
      await sleep(1000 * Math.max(1, Number(response.headers.get("Retry-After")) || 2), signal);
    } catch (failure) {
      if (!(failure instanceof Problem) || failure.status !== 0 || Date.now() > until) throw failure;
      told({ kind: "working", job: { id: "", status: "in_progress", error: "Waiting for the connection …" } });
      await sleep(2000, signal);
    }
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/[.\s]*$/, ".");
