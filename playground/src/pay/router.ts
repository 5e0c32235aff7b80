/** The local router pays by itself, within its owner's caps; the page only asks and waits. */

import { formOf } from "../api/calls";
import { json, send } from "../api/http";
import type { Answer, Job, Order, Quote } from "../api/types";
import { cancel, follow } from "./following";
import type { Purse, Ticket, Told } from "./purse";

export const routerPurse: Purse = {
  label: "the router's wallet",

  async buy(order: Order, _quote: Quote, told, keep, signal) {
    told({ kind: "sending" });
    const init = { method: "POST", body: formOf(order), headers: { Prefer: "wait=1" }, signal };
    const response = await send("v1/images/image2image", init);
    if (response.status !== 202) return json<Answer>(response);
    const job = await json<Job>(response);
    const ticket: Ticket = { poll: (job.poll_url ?? `v1/images/generations/${job.id}`).replace(/^\//, ""), payment: "" };
    await keep(ticket);
    told({ kind: "working", job });
    return follow(ticket, told, signal);
  },

  resume: (ticket: Ticket, told: (state: Told) => void, signal: AbortSignal) => follow(ticket, told, signal),
  cancel,
};
