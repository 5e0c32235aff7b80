/** What came out, and what one may do with it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { facts } from "../api/http";
import type { Answer } from "../api/types";
import type { Past } from "../past/db";
import { dollars } from "../ui/composer";
import { Icon } from "../ui/icons";
import { Compare, useUrl, type Way } from "./compare";
import { saveAs } from "./download";

const WAYS: readonly [Way, string][] = [
  ["slider", "Slider"],
  ["pair", "Side by side"],
  ["blink", "Blink"],
];

export function ResultView({ past, again, back }: { past: Past; again: (picture: Blob, name: string) => void; back: () => void }) {
  const which = useSignal(0);
  const index = Math.min(which.value, past.results.length - 1);
  const picture = past.results[index]!;
  const told = past.answer.data[index]!;
  const shape = useShape(past.source);
  const other = shape !== null && Math.abs(Math.log((shape * told.height) / told.width)) > 0.01;
  const chosen = useSignal<Way | null>(null); // laid over each other only where both have the same shape
  const way = chosen.value ?? (other ? "pair" : "slider");
  const type = useSignal(picture.type);
  const name = `${past.name.replace(/\.[^.]*$/, "")}-edited${past.results.length > 1 ? `-${index + 1}` : ""}`;
  return (
    <div class="result">
      <div class="result-bar">
        <button type="button" class="quiet" onClick={back}>
          <Icon name="undo" /> Back
        </button>
        <div class="ways" role="group" aria-label="How to compare">
          {WAYS.map(([each, label]) => (
            <button key={each} type="button" class="tool" aria-pressed={way === each} aria-label={label} title={label} onClick={() => (chosen.value = each)}>
              <Icon name={each} />
            </button>
          ))}
        </div>
      </div>
      <Compare before={past.source} after={picture} way={way} width={told.width} height={told.height} words={told.revised_prompt || past.prompt} />
      {past.results.length > 1 && <Variations files={past.results} at={index} choose={(i) => (which.value = i)} />}
      <div class="result-side">
        <p class="told">{told.revised_prompt || past.prompt}</p>
        <Receipt answer={past.answer} kept={told.preserved === true} />
        <div class="acts">
          <span class="download">
            <button type="button" class="loud" onClick={() => saveAs(picture, type.value, name)}>
              <Icon name="save" /> Download
            </button>
            <label>
              <span class="hidden">Format of the download</span>
              <select value={type.value} onChange={(event) => (type.value = event.currentTarget.value)}>
                <option value="image/png">PNG</option>
                <option value="image/jpeg">JPEG</option>
                <option value="image/webp">WebP</option>
              </select>
            </label>
          </span>
          <button type="button" class="quiet" onClick={() => again(picture, `${name}.png`)}>
            <Icon name="again" /> Edit again
          </button>
        </div>
      </div>
    </div>
  );
}

/** Width over height, upright, once it is known. */
function useShape(file: Blob): number | null {
  const shape = useSignal<number | null>(null);
  useEffect(() => {
    let stale = false;
    createImageBitmap(file, { imageOrientation: "from-image" }).then(
      (bitmap) => {
        if (!stale) shape.value = bitmap.width / bitmap.height;
        bitmap.close();
      },
      () => undefined, // shown all the same
    );
    return () => {
      stale = true;
    };
  }, [file]);
  return shape.value;
}

function Variations({ files, at, choose }: { files: Blob[]; at: number; choose: (index: number) => void }) {
  return (
    <div class="variations" role="group" aria-label="Variations">
      {files.map((file, i) => (
        <button key={i} type="button" aria-pressed={i === at} aria-label={`Variation ${i + 1}`} onClick={() => choose(i)}>
          <Thumb file={file} />
        </button>
      ))}
    </div>
  );
}

export function Thumb({ file, alt = "" }: { file: Blob; alt?: string }) {
  return <img src={useUrl(file)} alt={alt} loading="lazy" decoding="async" />;
}

/** `kept`: outside the mask every pixel is the source's. */
export function Receipt({ answer, kept }: { answer: Answer; kept: boolean }) {
  const { payment, price } = answer;
  const network = facts.networks.find((each) => each.v1 === payment.network || each.id === payment.network);
  const short = `${payment.tx_hash.slice(0, 8)}…${payment.tx_hash.slice(-6)}`;
  return (
    <p class="receipt">
      <Icon name="receipt" />
      <span>
        {dollars(price.amount)} on {network?.title ?? payment.network}
        {" · "}
        {network?.explorer ? (
          <a href={network.explorer.replace("{}", encodeURIComponent(payment.tx_hash))} target="_blank" rel="noreferrer">
            {short}
          </a>
        ) : (
          <code title={payment.tx_hash}>{short}</code>
        )}
        {kept && " · untouched outside the mask"}
        {answer.requested_model && ` · made by ${answer.model} in place of ${answer.requested_model}`}
      </span>
    </p>
  );
}
