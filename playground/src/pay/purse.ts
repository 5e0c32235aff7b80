/** Who pays: the router's wallet, or the visitor's own. One interface, so that the page needs not know which. */

import type { Answer, Job, Order, Quote } from "../api/types";

/** How an edit is followed after a reload: all that is needed to ask for it again, and to pay for it once. */
export interface Ticket {
  /** Where to ask; empty until the server has named a job. */
  poll: string;
  /** The payment header that was signed, as good as the charge; empty with a router, which holds its own. */
  payment: string;
}

export type Told = { kind: "signing" } | { kind: "sending" } | { kind: "working"; job: Job };

export interface Purse {
  /** Shown on the button's side, e.g. an address. */
  readonly label: string;
  /** Sends the edit and follows it to its end. `keep` gets the ticket as soon as there is one, before anything that
   * could be charged leaves the page. Raises Problem. */
  buy(order: Order, quote: Quote, told: (state: Told) => void, keep: (ticket: Ticket) => Promise<void>, signal: AbortSignal): Promise<Answer>;
  /** Goes on with an edit of an earlier page. */
  resume(ticket: Ticket, told: (state: Told) => void, signal: AbortSignal): Promise<Answer>;
  cancel(ticket: Ticket): Promise<void>;
}
