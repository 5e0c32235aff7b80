/** USDC on Base from a wallet in the browser: an EIP-3009 authorization, signed as EIP-712 typed data. Nothing is sent
 * to a chain from here; the gateway settles what was signed, once, when there is a result.
 */

import { facts, Problem } from "../api/http";
import type { Order, Quote, Requirement } from "../api/types";
import type { EvmProvider } from "./discovery";
import type { Purse } from "./purse";

const REFUSED = 4001;
const UNKNOWN_CHAIN = 4902;

interface Domain {
  name: string;
  version: string;
  chainId: number;
  verifyingContract: string;
}

export async function connectEvm(name: string, provider: EvmProvider): Promise<Purse & { address: string }> {
  const [address] = (await asked(provider, "eth_requestAccounts", [], "The wallet did not share an account. Connect it again and choose one.")) as string[];
  if (!address) throw new Problem(`${name} has no account to pay with. Create one in it, then connect again.`, 402, "no_account");
  return { address, label: `${name}, ${address.slice(0, 6)}…${address.slice(-4)}`, sign: (_order: Order, quote: Quote) => sign(provider, address, quote) };
}

async function sign(provider: EvmProvider, address: string, quote: Quote): Promise<string> {
  const offers = quote.accepts.filter((each) => each.scheme === "exact" && each.network.startsWith("eip155:"));
  const current = `eip155:${Number(await asked(provider, "eth_chainId", []))}`;
  const offer = offers.find((each) => each.network === current) ?? offers[0];
  if (!offer) throw new Problem("This gateway takes no payment on Base. Connect a Solana wallet instead.", 402, "no_offer");
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
    if (codeOf(failure) === UNKNOWN_CHAIN) throw new Problem(`Your wallet does not know ${title}. Add that network to it, then try again.`, 402, "wrong_network");
    throw new Problem(`Your wallet is on another network. Switch it to ${title}, then try again. Nothing was charged.`, 402, "wrong_network");
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
  const usd = (atomic: bigint) => `$${(Number(atomic) / 1e6).toFixed(6).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
  throw new Problem(`This account holds ${usd(held)} in USDC and the edit costs ${usd(BigInt(offer.amount))}. Add USDC to ${address}, or choose another account.`, 402, "insufficient_funds");
}

async function pay(provider: EvmProvider, from: string, offer: Requirement, quote: Quote): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const nonce = `0x${[...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const authorization = { from, to: offer.payTo, value: offer.amount, validAfter: String(now - 600), validBefore: String(now + offer.maxTimeoutSeconds), nonce };
  const domain: Domain = { name: offer.extra["name"] ?? "", version: offer.extra["version"] ?? "", chainId: Number(offer.network.split(":")[1]), verifyingContract: offer.asset };
  const typed = JSON.stringify({ types: TYPES, primaryType: "TransferWithAuthorization", domain, message: authorization });
  const signature = await asked(provider, "eth_signTypedData_v4", [from, typed], "You did not sign, so nothing was sent and nothing was charged.");
  const payment = { x402Version: 2, resource: quote.resource, accepted: offer, payload: { signature, authorization } };
  return btoa(JSON.stringify(payment));
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

async function asked(provider: EvmProvider, method: string, params: unknown[], refused = "Your wallet refused."): Promise<unknown> {
  try {
    return await provider.request({ method, params });
  } catch (failure) {
    if (codeOf(failure) === REFUSED) throw new Problem(refused, 402, "refused");
    const said = failure instanceof Error && failure.message ? ` It says: ${failure.message.slice(0, 200)}` : "";
    throw new Problem(`Your wallet could not do this.${said} Nothing was charged.`, 402, "wallet");
  }
}

const codeOf = (failure: unknown) => (failure as { code?: number } | null)?.code ?? 0;
