/** The wallets that live in this browser, as they announce themselves: EIP-6963 and the Wallet Standard. */

import { signal } from "@preact/signals";

/** EIP-1193. */
export interface EvmProvider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
  on?(event: string, listener: (value: unknown) => void): void;
  removeListener?(event: string, listener: (value: unknown) => void): void;
}

export interface SolanaAccount {
  address: string;
  publicKey: Uint8Array;
  chains: readonly string[];
}

/** As much of the Wallet Standard as is needed here. */
export interface SolanaWallet {
  name: string;
  icon: string;
  chains: readonly string[];
  features: Record<string, unknown>;
  accounts: readonly SolanaAccount[];
}

export interface FoundEvm {
  family: "evm";
  /** The announcement's uuid: the same wallet may announce itself more than once. */
  key: string;
  name: string;
  icon: string;
  provider: EvmProvider;
}

export interface FoundSolana {
  family: "svm";
  key: string;
  name: string;
  icon: string;
  wallet: SolanaWallet;
}

export type Found = FoundEvm | FoundSolana;

export const wallets = signal<readonly Found[]>([]);

const SIGNS = "solana:signTransaction";

function add(found: Found): void {
  const there = wallets.value.some((each) => each.family === found.family && each.key === found.key);
  if (!there) wallets.value = [...wallets.value, found];
}

interface Announcement {
  info: { uuid: string; name: string; icon: string };
  provider: EvmProvider;
}

/** Asks all wallets to announce themselves, and listens for those that come later. */
export function discover(): void {
  addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    add({ family: "evm", key: info.uuid, name: info.name, icon: safe(info.icon), provider });
  });
  dispatchEvent(new Event("eip6963:requestProvider"));

  const api = {
    register(...each: SolanaWallet[]): () => void {
      for (const wallet of each) {
        if (SIGNS in wallet.features) add({ family: "svm", key: wallet.name, name: wallet.name, icon: safe(wallet.icon), wallet });
      }
      return () => undefined;
    },
  };
  addEventListener("wallet-standard:register-wallet", (event) => (event as CustomEvent<(with_: typeof api) => void>).detail(api));
  dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: api }));
}

/** Icons are data URIs by both standards; anything else is not shown. */
const safe = (icon: string) => (/^data:image\/(svg\+xml|png|webp|gif|jpeg)[;,]/.test(icon) ? icon : "");
