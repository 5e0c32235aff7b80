/** Who pays: the router's wallet, or the visitor's own. One interface, so that the page needs not know which. */

import type { Job, Quote } from "../api/types";

/** How an edit is followed, also after a reload. */
export interface Ticket {
  /** Where to ask; empty until the server has named a job. */
  poll: string;
  /** The payment header that was signed, as good as the charge; empty with a router, which holds its own. */
  payment: string;
}

/** `away`: nobody answers at the moment. */
export type Told = { kind: "signing"; again?: boolean } | { kind: "sending" } | { kind: "away" } | { kind: "working"; job: Job };

export interface Purse {
  /** Who pays, for the line below the button. */
  readonly label: string;
  /** What must be in the payment header of this edit; may ask the visitor. Raises Problem. */
  sign(quote: Quote): Promise<string>;
}
