/** Before and after: one slider, two side by side, or one at a time. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { originalShown } from "../state/tools";

export type Way = "slider" | "pair" | "blink";

/** An object URL that lives as long as the component shows it. */
export function useUrl(file: Blob): string {
  const url = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return url;
}

interface Pictures {
  before: Blob;
  after: Blob;
  words: string;
  /** Of the result, in pixels. */
  width: number;
  height: number;
}

export function Compare({ before, after, words, width, height, way }: Pictures & { way: Way }) {
  const [was, is] = [useUrl(before), useUrl(after)];
  if (way === "pair") {
    return (
      <div class="compare pair">
        <figure>
          <img src={was} alt="Before" />
          <figcaption>Before</figcaption>
        </figure>
        <figure>
          <img src={is} alt={`After: ${words}`} />
          <figcaption>After</figcaption>
        </figure>
      </div>
    );
  }
  const frame = { "--w": String(width), "--h": String(height) };
  return (
    <div class="compare" style={frame}>
      {way === "blink" ? <Blink was={was} is={is} words={words} /> : <Slider was={was} is={is} words={words} />}
    </div>
  );
}

interface Urls {
  was: string;
  is: string;
  words: string;
}

function Slider({ was, is, words }: Urls) {
  const at = useSignal(50);
  return (
    <div class="frame slider" style={{ "--at": `${originalShown.value ? 100 : at.value}%` }}>
      <img class="after" src={is} alt={`After: ${words}`} />
      <img class="before" src={was} alt="Before" />
      <span class="tag was" aria-hidden="true">
        Before
      </span>
      <span class="tag is" aria-hidden="true">
        After
      </span>
      <span class="handle" aria-hidden="true" />
      <input
        type="range"
        min="0"
        max="100"
        step="0.5"
        value={at.value}
        aria-label="Share of the picture that shows how it was before"
        aria-valuetext={`${Math.round(at.value)} % before`}
        onInput={(event) => (at.value = Number(event.currentTarget.value))}
      />
    </div>
  );
}

/** In turn by itself where motion is welcome; a press turns it over. */
function Blink({ was, is, words }: Urls) {
  const before = useSignal(false);
  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timer = setInterval(() => (before.value = !before.value), 900);
    return () => clearInterval(timer);
  }, []);
  const shown = before.value || originalShown.value;
  return (
    <button type="button" class="frame blink" title="Turn it over" onClick={() => (before.value = !before.value)}>
      <img src={shown ? was : is} alt="" />
      <span class="tag">
        {shown ? "Before" : "After"}
        <span class="hidden">: {words}. Press to see the other.</span>
      </span>
    </button>
  );
}
