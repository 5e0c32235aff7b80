/** The visitor's own wallet, connected to this page: one at a time, of either family. */

import { effect, signal } from "@preact/signals";
import { discover, type Found, wallets } from "./discovery";
import { connectEvm } from "./evm";
import type { Purse } from "./purse";
import { connectSolana } from "./solana";

export interface Connected extends Purse {
  readonly name: string;
  readonly icon: string;
  readonly address: string;
  /** Forgets this page; the wallet may keep its own permission. */
  close(): void;
}

/** What a wallet tells while it is connected: the account that pays from now on, or none. */
export type Follow = (next: Connected | null) => void;

export const connected = signal<Connected | null>(null);

const KEY = "tollbrush.wallet";
const nameOf = (found: Found) => `${found.family} ${found.name}`;

/** Finds the wallets, and connects the last one again if it shares its account unasked. */
export function findWallets(): () => void {
  discover();
  const last = remembered();
  let tried = false;
  return effect(() => {
    const found = last && !tried ? wallets.value.find((each) => nameOf(each) === last) : undefined;
    if (!found) return;
    tried = true;
    void join(found, true).catch(() => undefined);
  });
}

/** Raises Problem. */
export async function connect(found: Found): Promise<void> {
  disconnect();
  await join(found, false);
  remember(nameOf(found));
}

export function disconnect(): void {
  connected.value?.close();
  connected.value = null;
  remember("");
}

async function join(found: Found, silent: boolean): Promise<void> {
  const follow: Follow = (next) => (connected.value = next);
  connected.value = await (found.family === "evm" ? connectEvm(found, follow, silent) : connectSolana(found, follow, silent));
}

export const short = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`;

function remember(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // a browser that keeps nothing: connected by hand each time
  }
}

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
