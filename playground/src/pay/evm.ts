/** USDC on Base from a wallet in the browser: an EIP-3009 authorization, signed as EIP-712 typed data. Nothing is sent
 * to a chain from here; the gateway settles what was signed, once, when there is a result.
 */

import { facts } from "../api/http";
import type { Quote, Requirement } from "../api/types";
import type { EvmProvider, FoundEvm } from "./discovery";
import { asked, codeOf, noAccount, UNSHARED, UNSIGNED, wrong } from "./refusals";
import { type Connected, type Follow, short } from "./wallet";

const UNKNOWN_CHAIN = 4902;

/** `silent`: only what the wallet shares without asking. Raises Problem. */
export async function connectEvm(found: FoundEvm, follow: Follow, silent: boolean): Promise<Connected> {
  const { name, icon, provider } = found;
  const accounts = await asked(() => provider.request({ method: silent ? "eth_accounts" : "eth_requestAccounts" }), UNSHARED);
  const changed = (value: unknown) => {
    const [next] = value as string[];
    follow(next ? at(next) : null);
  };
  const at = (address: string): Connected => ({
    name,
    icon,
    address,
    label: `${name}, ${short(address)}`,
    sign: (quote) => sign(provider, address, quote),
    close: () => provider.removeListener?.("accountsChanged", changed),
  });
  const [address] = accounts as string[];
  if (!address) throw noAccount(name);
  provider.on?.("accountsChanged", changed); // its network is asked for anew at each payment
  return at(address);
}

async function sign(provider: EvmProvider, address: string, quote: Quote): Promise<string> {
  const offers = quote.accepts.filter((each) => each.scheme === "exact" && each.network.startsWith("eip155:"));
  const current = `eip155:${Number(await asked(() => provider.request({ method: "eth_chainId" }), UNSHARED))}`;
  const offer = offers.find((each) => each.network === current) ?? offers[0];
  if (!offer) throw wrong("This gateway takes no payment on Base. Connect a Solana wallet instead.", "no_offer");
  if (offer.network !== current) await change(provider, offer.network);
  await afford(provider, address, offer);
  return pay(provider, address, offer, quote);
}

async function change(provider: EvmProvider, network: string): Promise<void> {
  const title = facts.networks.find((each) => each.id === network)?.title ?? network;
  const chainId = `0x${Number(network.split(":")[1]).toString(16)}`;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (failure) {
    const unknown = `Your wallet does not know ${title}. Add that network to it, then try again. Nothing was charged.`;
    const other = `Your wallet is on another network. Switch it to ${title}, then try again. Nothing was charged.`;
    throw wrong(codeOf(failure) === UNKNOWN_CHAIN ? unknown : other, "wrong_network");
  }
}

/** Raises Problem when the account holds less USDC than the edit costs: said before anything is signed. */
async function afford(provider: EvmProvider, address: string, offer: Requirement): Promise<void> {
  const data = `0x70a08231${address.slice(2).toLowerCase().padStart(64, "0")}`; // balanceOf(address)
  let held: bigint;
  try {
    held = BigInt((await provider.request({ method: "eth_call", params: [{ to: offer.asset, data }, "latest"] })) as string);
  } catch {
    return; // the gateway reads the balance itself before it begins
  }
  if (held >= BigInt(offer.amount)) return;
  const costs = `This account holds ${usd(held)} in USDC and the edit costs ${usd(BigInt(offer.amount))}.`;
  throw wrong(`${costs} Add USDC to ${address}, or choose another account.`, "insufficient_funds");
}

/** Atomic units as dollars, at least two decimals. */
const usd = (atomic: bigint) => {
  const digits = atomic.toString().padStart(7, "0");
  return `$${digits.slice(0, -6)}.${digits.slice(-6).replace(/0{1,4}$/, "")}`;
};

async function pay(provider: EvmProvider, from: string, offer: Requirement, quote: Quote): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const random = crypto.getRandomValues(new Uint8Array(32));
  const authorization = {
    from,
    to: offer.payTo,
    value: offer.amount,
    validAfter: String(now - 600), // clocks differ
    validBefore: String(now + offer.maxTimeoutSeconds),
    nonce: `0x${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`,
  };
  const domain = {
    name: offer.extra["name"] ?? "",
    version: offer.extra["version"] ?? "",
    chainId: Number(offer.network.split(":")[1]),
    verifyingContract: offer.asset,
  };
  const typed = JSON.stringify({ types: TYPES, primaryType: "TransferWithAuthorization", domain, message: authorization });
  const signature = await asked(() => provider.request({ method: "eth_signTypedData_v4", params: [from, typed] }), UNSIGNED);
  return header(offer, quote, { signature, authorization });
}

/** The payment header of x402 v2. */
export function header(offer: Requirement, quote: Quote, payload: unknown): string {
  return btoa(JSON.stringify({ x402Version: 2, resource: quote.resource, accepted: offer, payload }));
}

const field = (name: string, type: string) => ({ name, type });
const TYPES = {
  EIP712Domain: [field("name", "string"), field("version", "string"), field("chainId", "uint256"), field("verifyingContract", "address")],
  TransferWithAuthorization: [
    field("from", "address"),
    field("to", "address"),
    field("value", "uint256"),
    field("validAfter", "uint256"),
    field("validBefore", "uint256"),
    field("nonce", "bytes32"),
  ],
};
