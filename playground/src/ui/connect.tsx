/** The visitor's own wallet on a gateway's page: found, connected, let go. */

import { useSignal } from "@preact/signals";
import { facts, Problem } from "../api/http";
import { type Found, wallets } from "../pay/discovery";
import { connect, connected, disconnect, short } from "../pay/wallet";
import { Dialog } from "./dialog";
import { Icon } from "./icons";

export function WalletButton({ open }: { open: () => void }) {
  const at = connected.value;
  return (
    <button type="button" class="quiet account" onClick={open} title={at ? at.address : "Pay from a wallet in this browser"}>
      {at?.icon ? <img src={at.icon} alt="" width="20" height="20" /> : <Icon name="wallet" />}
      {at ? <span class="address wide">{short(at.address)}</span> : <span class="wide">Connect a wallet</span>}
      {at && <span class="address narrow">…{at.address.slice(-4)}</span>}
      <span class="hidden narrow">{at ? `, connected: ${at.name}` : "Connect a wallet"}</span>
    </button>
  );
}

const FAMILIES = { evm: "Base", svm: "Solana" } as const;

export function WalletDialog({ close }: { close: () => void }) {
  const asking = useSignal<Found | null>(null);
  const refused = useSignal("");
  const at = connected.value;
  const current = at && wallets.value.find((each) => each.name === at.name && FAMILIES[each.family] === (at.address.startsWith("0x") ? "Base" : "Solana"));
  const choose = async (found: Found) => {
    [asking.value, refused.value] = [found, ""];
    try {
      await connect(found);
      close();
    } catch (failure) {
      refused.value = failure instanceof Problem ? failure.message : String(failure);
    } finally {
      asking.value = null;
    }
  };
  return (
    <Dialog title={at ? "Your wallet" : "Connect a wallet"} close={close}>
      {at && (
        <div class="held">
          <p>
            <strong>{at.name}</strong> pays. You confirm each edit in it; nothing is charged without a result.
          </p>
          <p>
            <code>{at.address}</code>
          </p>
          <button
            type="button"
            class="quiet framed"
            onClick={() => {
              disconnect();
              close();
            }}
          >
            Disconnect
          </button>
        </div>
      )}
      {at && wallets.value.length > 1 && <h3>Or another</h3>}
      <ul class="found">
        {wallets.value
          .filter((each) => each !== current)
          .map((each) => (
            <li key={`${each.family} ${each.key}`}>
              <button type="button" disabled={asking.value !== null} onClick={() => choose(each)}>
                {each.icon ? <img src={each.icon} alt="" width="32" height="32" /> : <Icon name="wallet" />}
                <span>
                  <strong>{each.name}</strong>
                  <small>{asking.value === each ? "Confirm in the wallet …" : `USDC on ${FAMILIES[each.family]}`}</small>
                </span>
              </button>
            </li>
          ))}
      </ul>
      {!wallets.value.length && <None />}
      {refused.value && (
        <p class="says bad" role="alert">
          <Icon name="warn" />
          <span>{refused.value}</span>
        </p>
      )}
    </Dialog>
  );
}

function None() {
  const test = facts.networks.some((each) => each.test);
  return (
    <div class="none">
      <p>
        <strong>No wallet was found in this browser.</strong> This gateway is paid per edit in USDC, without an account. You need:
      </p>
      <ol>
        <li>a wallet extension, for example MetaMask or Coinbase Wallet (Base), Phantom or Solflare (Solana);</li>
        <li>a few cents of USDC in it, on Base or on Solana. No other coin: the fees are paid for you.</li>
      </ol>
      <p>Then load this page again. {test && "On a test network, its faucet gives the USDC for free."}</p>
      <p>Or pay from your own machine, without an extension: install tollbrush, and its local page uses the wallet that it keeps.</p>
    </div>
  );
}
