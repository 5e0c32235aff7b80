/** The page: a picture or a place for one, the composer below, the result in its place when there is one. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { facts } from "./api/http";
import { acceptFiles } from "./files";
import { listenKeys } from "./keys";
import type { Past } from "./past/db";
import { PastGrid } from "./past/grid";
import { routerPurse } from "./pay/router";
import { connected, findWallets } from "./pay/wallet";
import { ResultView } from "./result/result";
import { importMask } from "./stage/actions";
import { Preview } from "./stage/preview";
import { Progress } from "./stage/progress";
import { Stage } from "./stage/stage";
import { Painted, Toolbar } from "./stage/toolbar";
import { Welcome } from "./stage/welcome";
import { followPrice, loadModels, recall } from "./state/order";
import { maskRevision, open, picture, Unusable } from "./state/picture";
import { helpAsked } from "./state/tools";
import { busy, edit, notice, problem, result, resume, underWay } from "./state/work";
import { Composer } from "./ui/composer";
import { WalletButton, WalletDialog } from "./ui/connect";
import { Help } from "./ui/help";
import { Left } from "./ui/left";
import { Top } from "./ui/top";
import { RouterWallet } from "./ui/wallet";

type Sheet = "past" | "wallet" | "help" | null;

export function App() {
  const sheet = useSignal<Sheet>(null);
  const refused = useSignal("");
  const local = facts.role === "router";
  const purse = local ? routerPurse : connected.value;

  const take = async (file: Blob, name: string) => {
    try {
      const fresh = await open(file, name);
      picture.value?.bitmap.close();
      [picture.value, result.value, problem.value, refused.value, notice.value] = [fresh, null, null, "", ""];
      maskRevision.value++;
    } catch (failure) {
      if (!(failure instanceof Unusable)) throw failure;
      refused.value = failure.message;
      notice.value = picture.value ? failure.message : "";
    }
  };

  /** Puts what an earlier page left under way back on this one, and goes on with it. */
  const goOn = async () => {
    const left = await underWay();
    if (!left) return;
    recall(left.order);
    await take(left.order.image, left.name);
    if (picture.value && left.order.mask) await importMask(picture.value, left.order.mask, "mask.png");
    await resume(local ? routerPurse : connected.value);
  };

  useEffect(() => {
    void loadModels();
    void goOn();
    const ends = [followPrice(), listenKeys(), acceptFiles((file, name) => !busy.value && void take(file, name)), local ? () => undefined : findWallets()];
    return () => ends.forEach((end) => end());
  }, []);

  useSignalEffect(() => {
    if (helpAsked.value) sheet.value = "help";
  });

  const at = picture.value;
  const done = result.value;
  const shut = () => (sheet.value = null);
  const wallet = local ? <RouterWallet /> : <WalletButton open={() => (sheet.value = "wallet")} />;
  return (
    <div class={done || !at ? "page" : "page composing"}>
      <Top wallet={wallet} past={() => (sheet.value = "past")} help={() => (sheet.value = "help")} />
      <main class={`workspace ${busy.value ? "busy" : ""}`}>
        {done ? (
          <ResultView key={done.id} past={done} again={(file, name) => void take(file, name)} back={() => void leave(done)} />
        ) : at ? (
          <>
            <Stage at={at} />
            <Toolbar at={at} fail={(words) => (notice.value = words)} replace={(file) => !busy.value && void take(file, file.name)} />
            <Painted at={at} />
            {busy.value && <Preview at={at} />}
            {busy.value && <Progress />}
          </>
        ) : (
          <Welcome choose={(file) => void take(file, file.name)} problem={refused.value} />
        )}
      </main>
      <Left goOn={() => void resume(purse)} />
      {!done && at && <Composer pay={() => purse && void edit(purse)} connect={purse ? null : () => (sheet.value = "wallet")} payer={purse?.label ?? ""} />}
      {sheet.value === "past" && <PastGrid close={shut} show={(past) => (result.value = past)} />}
      {sheet.value === "wallet" && <WalletDialog close={shut} />}
      {sheet.value === "help" && <Help close={shut} />}
    </div>
  );

  async function leave(past: Past) {
    if (!picture.value) await take(past.source, past.name);
    [result.value, notice.value] = [null, ""];
  }
}
