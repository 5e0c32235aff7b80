/** The router's wallet at the top: what is left to spend. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { json, send } from "../api/http";
import { result } from "../state/work";
import { dollars } from "./composer";
import { Icon } from "./icons";

interface Account {
  network: string;
  title: string;
  address: string;
  balance: string | null;
  problem: string | null;
}

export function RouterWallet() {
  const accounts = useSignal<Account[] | null>(null);
  const latest = result.value?.id;
  useEffect(() => {
    send("v1/wallet")
      .then((response) => json<{ accounts: Account[] }>(response))
      .then(
        (said) => (accounts.value = said.accounts),
        () => (accounts.value = null),
      );
  }, [latest]);
  return (
    <ul class="wallet" aria-label="The router's wallet">
      {accounts.value?.map((each) => (
        <li key={each.network} title={`${each.address}${each.problem ? ` · ${each.problem}` : ""}`}>
          <Icon name="wallet" />
          <span class="wide">{each.title}</span>
          <strong>{each.balance === null ? "?" : dollars(Number(each.balance).toFixed(2))}</strong>
        </li>
      ))}
    </ul>
  );
}
