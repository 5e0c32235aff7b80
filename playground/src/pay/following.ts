/** An edit from its request to its end. The same payment buys one edit however often it is sent, so what the network
 * swallows is sent again; a job is asked for with growing patience until it is done.
 */

import { formOf } from "../api/calls";
import { json, Problem, problemOf, send, sentence } from "../api/http";
import type { Answer, Job, Order, Quote } from "../api/types";
import type { Ticket, Told } from "./purse";

const PATIENCE = { first: 700, most: 4000, growth: 1.4 };

const headersOf = (ticket: Ticket): Record<string, string> => (ticket.payment ? { "PAYMENT-SIGNATURE": ticket.payment } : {});

export interface Course {
  told(state: Told): void;
  /** Gets the ticket whenever it changes: a later page goes on with it. */
  keep(ticket: Ticket): Promise<void>;
  /** A payment that lapsed before the edit was done (Solana: a minute or so) is signed anew. Raises Problem. */
  sign(quote: Quote): Promise<string>;
  signal: AbortSignal;
}

/** Sends the edit, or goes on with it where the ticket names a job. `at`: when it was first sent, in milliseconds. */
export async function carryOut(order: Order, at: number, ticket: Ticket, course: Course): Promise<Answer> {
  if (ticket.poll) return follow(ticket, course);
  course.told({ kind: "sending" });
  const headers = { Prefer: "respond-async, wait=1", ...headersOf(ticket) };
  const ask = () => send("v1/images/image2image", { method: "POST", body: formOf(order, at), headers, signal: course.signal });
  const response = await patiently(ask, course);
  if (response.status !== 202) return json<Answer>(response);
  const job = await json<Job>(response);
  const named = { ...ticket, poll: (job.poll_url ?? `v1/images/generations/${job.id}`).replace(/^\//, "") };
  await course.keep(named);
  course.told({ kind: "working", job });
  return follow(named, course);
}

/** Raises Problem: a failed job, or an answer that no patience mends. */
async function follow(from: Ticket, course: Course): Promise<Answer> {
  let [ticket, pause, renewed] = [from, PATIENCE.first, false];
  for (;;) {
    await sleep(pause, course.signal);
    pause = Math.min(PATIENCE.most, pause * PATIENCE.growth);
    const response = await patiently(() => send(ticket.poll, { headers: headersOf(ticket), signal: course.signal }), course);
    if (response.status === 402 && ticket.payment && !renewed) {
      ticket = { ...ticket, payment: await renewal(response, course) };
      await course.keep(ticket);
      [renewed, pause] = [true, 0];
    } else if (response.status === 202) {
      course.told({ kind: "working", job: await json<Job>(response) });
    } else {
      const said = await json<Answer & Job>(response);
      if (said.status === "failed" || said.status === "cancelled") throw failed(said);
      return said;
    }
  }
}

/** The edit is done and its payment lapsed: signed once more, for what the gateway then asks. */
async function renewal(response: Response, course: Course): Promise<string> {
  const required = response.headers.get("PAYMENT-REQUIRED");
  if (!required) throw await problemOf(response);
  course.told({ kind: "signing", again: true });
  const payment = await course.sign(JSON.parse(atob(required)) as Quote);
  course.told({ kind: "sending" });
  return payment;
}

const CHARGED: Record<string, string> = {
  charged: "It is paid for: the same edit, sent again soon, costs nothing more.",
  unknown: "Whether it was charged is not known yet: the same edit, sent again soon, is not paid for twice.",
};

function failed(job: Job): Problem {
  const words = sentence((job.error ?? "the edit failed").replace(/[.\s]*$/, "."));
  return new Problem(`${words} ${CHARGED[job.payment_status ?? ""] ?? "Nothing was charged."}`, 200, job.code ?? job.status);
}

export async function cancel(ticket: Ticket): Promise<void> {
  const response = await send(ticket.poll, { method: "DELETE", headers: headersOf(ticket) });
  if (!response.ok && response.status !== 404) throw await problemOf(response);
}

/** A network that is away for a moment does not end an edit, nor a server that is busy with it: asked again, up to
 * five minutes. */
async function patiently(ask: () => Promise<Response>, { told, signal }: Course): Promise<Response> {
  const until = Date.now() + 300_000;
  for (;;) {
    try {
      const response = await ask();
      if (![409, 429, 503].includes(response.status) || Date.now() > until) return response;
      await sleep(1000 * Math.max(1, Number(response.headers.get("Retry-After")) || 2), signal);
    } catch (failure) {
      if (!(failure instanceof Problem) || failure.status !== 0 || Date.now() > until) throw failure;
      told({ kind: "away" });
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
