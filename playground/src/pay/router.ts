/** The local router pays by itself, within its owner's caps: there is nothing to sign here. */

import type { Purse } from "./purse";

export const routerPurse: Purse = { label: "the router's wallet", sign: async () => "" };
