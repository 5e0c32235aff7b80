/** USDC on Base from a wallet in the browser: an EIP-3009 authorization, signed as EIP-712 typed data. Nothing is sent
 * to a chain from here; the gateway settles what was signed, once, when there is a result.
 */

import { facts } from "../api/http";
import type { Quote, Requirement } from "../api/types";
import type { EvmProvider, FoundEvm } from "./discovery";
import { afford, asked, codeOf, noAccount, UNSHARED, UNSIGNED, wrong } from "./refusals";
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
  const held = await holding(provider, address, offer.asset);
  if (held !== null) afford(held, offer.amount, address);
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

/** In atomic units; null where the wallet does not say: the gateway reads it itself before it begins. */
async function holding(provider: EvmProvider, address: string, token: string): Promise<bigint | null> {
  const data = `0x70a08231${address.slice(2).toLowerCase().padStart(64, "0")}`; // balanceOf(address)
  try {
    return BigInt((await provider.request({ method: "eth_call", params: [{ to: token, data }, "latest"] })) as string);
  } catch {
    return null;
  }
}

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
