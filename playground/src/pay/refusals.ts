/** What goes wrong in a wallet, in words; nothing has been charged whenever one of these is raised. */

import { Problem } from "../api/http";

export const wrong = (words: string, code: string) => new Problem(words, 402, code);

const REFUSED = 4001; // EIP-1193; wallets of the Wallet Standard use it too, or say so in words

export const codeOf = (failure: unknown) => (failure as { code?: number } | null)?.code ?? 0;

/** Runs what asks the visitor. `refused`: the sentence for their no. Raises Problem. */
export async function asked<T>(act: () => Promise<T>, refused: string): Promise<T> {
  try {
    return await act();
  } catch (failure) {
    if (failure instanceof Problem) throw failure;
    const said = failure instanceof Error ? failure.message : ((failure as { message?: string } | null)?.message ?? "");
    if (codeOf(failure) === REFUSED || /reject|denied|cancel|declined/i.test(said)) throw wrong(refused, "refused");
    const words = said ? ` It says: ${said.slice(0, 200).replace(/[.\s]*$/, ".")}` : "";
    throw wrong(`Your wallet could not do this.${words} Nothing was charged.`, "wallet");
  }
}

export const UNSHARED = "The wallet did not share an account. Connect it again and choose one.";
export const UNSIGNED = "You did not sign, so nothing was sent and nothing was charged.";

export const noAccount = (name: string) => wrong(`${name} has no account to pay with. Create one in it, then connect again.`, "no_account");

/** Raises Problem when the account holds less USDC than the edit costs: said before anything is signed. */
export function afford(held: bigint, due: string, address: string): void {
  if (held >= BigInt(due)) return;
  const costs = `This account holds ${usd(held)} in USDC and the edit costs ${usd(BigInt(due))}.`;
  throw wrong(`${costs} Add USDC to ${address}, or choose another account.`, "insufficient_funds");
}

/** Atomic units as dollars, at least two decimals. */
const usd = (atomic: bigint) => {
  const digits = atomic.toString().padStart(7, "0");
  return `$${digits.slice(0, -6)}.${digits.slice(-6).replace(/0{1,4}$/, "")}`;
};

/** What a server says of a payment, with what the reader can do. */
export function wayOn({ message, code }: Problem): string {
  if (code !== "insufficient_funds" || message.includes("Add USDC")) return message;
  return `${message} Add USDC to that account, or connect another one. Nothing was charged.`;
}
