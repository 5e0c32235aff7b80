/** USDC on Solana from a wallet in the browser: one signed transfer whose fee the gateway pays, and which only the
 * gateway sends. The transaction itself is built in a chunk of its own, fetched when it is first needed.
 */

import { facts, json, send } from "../api/http";
import type { Network, Quote } from "../api/types";
import type { FoundSolana, SolanaAccount, SolanaWallet } from "./discovery";
import { header } from "./evm";
import { afford, asked, noAccount, UNSHARED, UNSIGNED, wrong } from "./refusals";
import { type Connected, type Follow, short } from "./wallet";

interface Features {
  "standard:connect"?: { connect(how: { silent: boolean }): Promise<{ accounts: readonly SolanaAccount[] }> };
  "standard:disconnect"?: { disconnect(): Promise<void> };
  "standard:events"?: { on(event: "change", listener: (change: { accounts?: readonly SolanaAccount[] }) => void): () => void };
  "solana:signTransaction": {
    signTransaction(...inputs: { account: SolanaAccount; transaction: Uint8Array; chain: string }[]): Promise<readonly { signedTransaction: Uint8Array }[]>;
  };
}

const featuresOf = (wallet: SolanaWallet) => wallet.features as unknown as Features;

/** `silent`: only what the wallet shares without asking. Raises Problem. */
export async function connectSolana({ name, icon, wallet }: FoundSolana, follow: Follow, silent: boolean): Promise<Connected> {
  const features = featuresOf(wallet);
  const shared = (await asked(async () => features["standard:connect"]?.connect({ silent }), UNSHARED))?.accounts ?? wallet.accounts;
  const at = (account: SolanaAccount): Connected => ({
    name,
    icon,
    address: account.address,
    label: `${name}, ${short(account.address)}`,
    sign: (quote) => sign(features, account, quote),
    close() {
      unfollow?.();
      void features["standard:disconnect"]?.disconnect().catch(() => undefined);
    },
  });
  const [first] = shared;
  if (!first) throw noAccount(name);
  const unfollow = features["standard:events"]?.on("change", ({ accounts }) => {
    if (accounts) follow(accounts[0] ? at(accounts[0]) : null);
  });
  return at(first);
}

async function sign(features: Features, account: SolanaAccount, quote: Quote): Promise<string> {
  const offers = quote.accepts.filter((each) => each.scheme === "exact" && each.network.startsWith("solana:"));
  if (!offers.length) throw wrong("This gateway takes no payment on Solana. Connect a wallet for Base instead.", "no_offer");
  const networks = offers.map((offer) => facts.networks.find((each) => each.id === offer.network));
  const which = networks.findIndex((each) => each && account.chains.includes(chainOf(each)));
  const [offer, network] = [offers[which], networks[which]];
  if (!offer || !network) {
    const wanted = networks.map((each) => each?.title ?? "Solana").join(" or ");
    throw wrong(`Your wallet is on another network. Switch it to ${wanted}, then connect it again. Nothing was charged.`, "wrong_network");
  }
  const [{ blockhash, balance }, { transfer }] = await Promise.all([
    send(`v1/networks/${network.v1}/blockhash?payer=${account.address}`).then((response) => json<{ blockhash: string; balance?: string }>(response)),
    import("./transfer").catch(unloaded),
  ]);
  if (balance !== undefined) afford(BigInt(balance), offer.amount, account.address);
  const transaction = await transfer(offer, account.address, blockhash);
  const input = { account, transaction, chain: chainOf(network) };
  const [signed] = await asked(() => features["solana:signTransaction"].signTransaction(input), UNSIGNED);
  if (!signed) throw wrong("Your wallet gave no signature. Try again; nothing was charged.", "wallet");
  return header(offer, quote, { transaction: btoa(String.fromCharCode(...signed.signedTransaction)) });
}

function unloaded(): never {
  throw wrong("The part of this page that pays on Solana could not be loaded. Look to your connection, load the page again, and go on. Nothing was charged.", "unloaded");
}

/** The Wallet Standard's name of a network. */
const chainOf = (network: Network) => (network.test ? "solana:devnet" : "solana:mainnet");
