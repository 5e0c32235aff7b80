/** The wire contract, as far as the page speaks it. */

/** What the server tells the page about itself, in the document. */
export interface Facts {
  role: "router" | "gateway";
  version: string;
  /** Bears writes to the router; empty on a gateway. */
  token: string;
  networks: Network[];
}

export interface Network {
  id: string;
  v1: string;
  title: string;
  /** With `{}` for the transaction; empty on local chains. */
  explorer: string;
  test: boolean;
}

export interface Model {
  id: string;
  name: string;
  description: string;
  available: boolean;
  price_per_image: number;
  pricing: Record<string, number>;
  sizes: string[];
  size_rule: string;
  mask: boolean;
  max_sources: number;
  licence: string;
  /** The most unfinished pictures that it shows of each; absent where it shows none. */
  previews?: number;
  /** What the words may ask for, with an example each; absent where any words do. */
  abilities?: Ability[];
}

export interface Ability {
  name: string;
  example: string;
  needs?: string;
}

export interface Price {
  amount: string;
  currency: string;
}

/** One x402 v2 payment requirement. */
export interface Requirement {
  scheme: string;
  network: string;
  asset: string;
  amount: string;
  payTo: string;
  maxTimeoutSeconds: number;
  extra: Record<string, string>;
}

export interface Quote {
  price: Price | null;
  accepts: Requirement[];
  resource?: { url: string; description: string; mimeType: string };
}

export interface Result {
  url: string;
  revised_prompt: string;
  width: number;
  height: number;
  mime_type: string;
  sha256: string;
  seed: number | null;
  preserved: boolean | null;
  edited_fraction: number | null;
}

export interface Answer {
  id?: string;
  created: number;
  data: Result[];
  price: Price;
  payment: { status: string; tx_hash: string; network: string };
  model: string;
  requested_model?: string;
}

/** An edit that goes on after its request. */
export interface Job {
  id: string;
  status: "queued" | "in_progress" | "completed" | "failed" | "cancelled";
  poll_url?: string;
  queue_position?: number | null;
  progress?: number | null;
  /** The newest unfinished picture: a small data URI. */
  preview?: string;
  payment_status?: string;
  error?: string;
  code?: string;
}

/** What is asked for; pictures go as files. */
export interface Order {
  model: string;
  prompt: string;
  size: string;
  n: number;
  seed: number | null;
  format: "png" | "jpeg" | "webp";
  /** Unfinished pictures wanted on the way, at most. */
  previews: number;
  image: Blob;
  mask: Blob | null;
}
