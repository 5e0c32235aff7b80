/** Who pays: the router's wallet, or the visitor's own. One interface, so that the page needs not know which. */

import type { Job, Order, Quote } from "../api/types";

/** How an edit is followed, also after a reload. */
export interface Ticket {
  /** Where to ask; empty until the server has named a job. */
  poll: string;
  /** The payment header that was signed, as good as the charge; empty with a router, which holds its own. */
  payment: string;
}

export type Told = { kind: "signing" } | { kind: "sending" } | { kind: "working"; job: Job };

export interface Purse {
  /** Who pays, for the line below the button. */
  readonly label: string;
  /** What must be in the payment header of this edit; may ask the visitor. Raises Problem. */
  sign(order: Order, quote: Quote): Promise<string>;
}
