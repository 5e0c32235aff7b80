/** The transaction of x402's `exact` scheme on Solana: compute limit, compute price, TransferChecked of USDC between the
 * two associated token accounts, and a memo that makes it unique. Only ever imported on demand: it weighs more than
 * the rest of the page.
 */

import { getSetComputeUnitLimitInstruction, getSetComputeUnitPriceInstruction } from "@solana-program/compute-budget";
import { getAddMemoInstruction } from "@solana-program/memo";
import { findAssociatedTokenPda, getTransferCheckedInstruction, TOKEN_PROGRAM_ADDRESS } from "@solana-program/token";
import {
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  compileTransaction,
  createNoopSigner,
  createTransactionMessage,
  getTransactionEncoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from "@solana/kit";
import type { Requirement } from "../api/types";
import { wrong } from "./refusals";

const UNIT_LIMIT = 20_000;
const UNIT_PRICE = 1n; // micro-lamports a unit
const USDC_DECIMALS = 6;
/** The memo program that x402 names; the package has moved on to another. */
const MEMO = address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/** Unsigned, on the wire; the payer and then the fee payer sign it. Raises Problem. */
export async function transfer(offer: Requirement, from: string, blockhash: string): Promise<Uint8Array> {
  const feePayer = offer.extra["feePayer"];
  if (!feePayer || feePayer === from) throw wrong("This gateway's offer on Solana names nobody to pay the fee. Try Base instead.", "no_offer");
  const [payer, mint, owner] = [address(from), address(offer.asset), address(offer.payTo)];
  const account = async (of: typeof payer) => (await findAssociatedTokenPda({ owner: of, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS }))[0];
  const [source, destination] = await Promise.all([account(payer), account(owner)]);
  const instructions = [
    getSetComputeUnitLimitInstruction({ units: UNIT_LIMIT }),
    getSetComputeUnitPriceInstruction({ microLamports: UNIT_PRICE }),
    getTransferCheckedInstruction({ source, mint, destination, authority: createNoopSigner(payer), amount: BigInt(offer.amount), decimals: USDC_DECIMALS }),
    getAddMemoInstruction({ memo: offer.extra["memo"] ?? unique() }, { programAddress: MEMO }),
  ];
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (at) => setTransactionMessageFeePayer(address(feePayer), at),
    // How long it lives is the chain's to say; the wallet and the gateway read the blockhash alone.
    (at) => setTransactionMessageLifetimeUsingBlockhash({ blockhash: blockhash as Blockhash, lastValidBlockHeight: 0n }, at),
    (at) => appendTransactionMessageInstructions(instructions, at),
  );
  return Uint8Array.from(getTransactionEncoder().encode(compileTransaction(message)));
}

const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
