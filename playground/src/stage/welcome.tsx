/** Before there is a picture: a place to drop one. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Icon } from "../ui/icons";
import coffee from "./coffee.webp";

export const ACCEPTED = "image/png,image/jpeg,image/webp,image/gif,.heic,.heif";

/** A cup of coffee by Rachel Michetti, CC0, as scikit-image brings it; fetched only when it is asked for. */
async function ours(): Promise<File> {
  const response = await fetch(coffee);
  return new File([await response.blob()], "coffee.webp");
}

export function Welcome({ choose, problem }: { choose: (file: File) => void; problem: string }) {
  const input = useRef<HTMLInputElement>(null);
  const over = useSignal(false);
  return (
    <div
      class={`welcome ${over.value ? "over" : ""}`}
      onDragOver={() => (over.value = true)}
      onDragLeave={() => (over.value = false)}
      onDrop={() => (over.value = false)}
    >
      <div class="welcome-inner">
        <h2>
          Paint what should <em>change</em>.
        </h2>
        <p class="lead">Drop a photograph here, mark a part of it or none, and say what you wish for. You see the price first, and pay for this one edit.</p>
        <button type="button" class="loud" onClick={() => input.current?.click()}>
          <Icon name="picture" /> Choose a picture
        </button>
        <p class="hint">
          Or drop it, or paste it: PNG, JPEG, WebP or GIF, up to 20 MB.
          <br />
          None at hand?{" "}
          <button type="button" class="link" onClick={() => void ours().then(choose, () => undefined)}>
            Try one of ours
          </button>
        </p>
        {problem && (
          <p class="says bad" role="alert">
            <Icon name="warn" />
            <span>{problem}</span>
          </p>
        )}
        <input
          ref={input}
          class="hidden"
          type="file"
          accept={ACCEPTED}
          tabIndex={-1}
          aria-label="Picture file"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) choose(file);
            event.currentTarget.value = "";
          }}
        />
      </div>
    </div>
  );
}
