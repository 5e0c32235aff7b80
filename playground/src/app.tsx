/** The page: a picture or a place for one, the composer below, the result in its place when there is one. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { facts } from "./api/http";
import { listenKeys } from "./keys";
import type { Past } from "./past/db";
import { PastGrid } from "./past/grid";
import { routerPurse } from "./pay/router";
import { ResultView } from "./result/result";
import { Stage } from "./stage/stage";
import { Toolbar } from "./stage/toolbar";
import { Welcome } from "./stage/welcome";
import { followPrice, loadModels, masked } from "./state/order";
import { maskRevision, open, picture, Unusable } from "./state/picture";
import { busy, edit, job, notice, problem, result, resume, stop } from "./state/work";
import { Composer } from "./ui/composer";
import { Top } from "./ui/top";
import { RouterWallet } from "./ui/wallet";

export function App() {
  const pastShown = useSignal(false);
  const refused = useSignal("");
  const purse = routerPurse;

  const take = async (file: Blob, name: string) => {
    try {
      const fresh = await open(file, name);
      picture.value?.bitmap.close();
      [picture.value, result.value, problem.value, refused.value] = [fresh, null, null, ""];
      maskRevision.value++;
    } catch (failure) {
      if (!(failure instanceof Unusable)) throw failure;
      refused.value = failure.message;
      notice.value = picture.value ? failure.message : "";
    }
  };

  useEffect(() => {
    void loadModels();
    void resume();
    const [stopPrice, stopKeys, stopDrops] = [followPrice(), listenKeys(), acceptFiles(take)];
    return () => {
      stopPrice();
      stopKeys();
      stopDrops();
    };
  }, []);

  const at = picture.value;
  const done = result.value;
  return (
    <div class="page">
      <Top wallet={facts.role === "router" ? <RouterWallet /> : null} past={() => (pastShown.value = true)} />
      <main class={`workspace ${busy.value ? "busy" : ""}`}>
        {done ? (
          <ResultView past={done} again={(file, name) => void take(file, name)} back={() => void leave(done, take)} />
        ) : at ? (
          <>
            <Stage at={at} />
            <Toolbar at={at} fail={(words) => (notice.value = words)} />
            <p class="painted" role="status">
              {masked.value ? `${share(at)} painted` : "Nothing painted: all may change"}
            </p>
            {busy.value && <Progress />}
          </>
        ) : (
          <Welcome choose={(file) => void take(file, file.name)} problem={refused.value} />
        )}
      </main>
      {!done && at && <Composer ready={!busy.value} pay={() => void edit(purse)} stop={() => void stop()} payer={purse.label} blocked="" />}
      {pastShown.value && <PastGrid close={() => (pastShown.value = false)} show={(past) => (result.value = past)} />}
    </div>
  );

  async function leave(past: Past, open: (file: Blob, name: string) => Promise<void>) {
    if (!picture.value) await open(past.source, past.name);
    result.value = null;
  }
}

function share(at: { mask: { count(): number }; width: number; height: number }): string {
  const part = (100 * at.mask.count()) / (at.width * at.height);
  return part < 1 ? "under 1 %" : `${Math.round(part)} %`;
}

function Progress() {
  const part = job.value?.progress ?? null;
  return (
    <div class="progress" role="progressbar" aria-label="The edit" aria-valuemin={0} aria-valuemax={100} aria-valuenow={part === null ? undefined : Math.round(part * 100)}>
      {job.value?.preview && <img src={job.value.preview} alt="Unfinished result" />}
      <span class={part === null ? "bar unknown" : "bar"} style={part === null ? {} : { width: `${part * 100}%` }} />
    </div>
  );
}

/** Pictures dropped or pasted anywhere on the page. */
function acceptFiles(take: (file: File, name: string) => Promise<void>): () => void {
  const allow = (event: DragEvent) => event.preventDefault();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) void take(file, file.name);
  };
  const paste = (event: ClipboardEvent) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) void take(file, file.name || "pasted.png");
  };
  addEventListener("dragover", allow);
  addEventListener("drop", drop);
  addEventListener("paste", paste);
  return () => {
    removeEventListener("dragover", allow);
    removeEventListener("drop", drop);
    removeEventListener("paste", paste);
  };
}
