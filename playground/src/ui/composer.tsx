/** Words, model, size and the button that bears the price. */

import { useSignal } from "@preact/signals";
import type { Model } from "../api/types";
import { wayOn } from "../pay/refusals";
import { count, format, loadModels, masked, model, modelId, models, modelsProblem, prompt, quote, quoteProblem, quoting, seed, size } from "../state/order";
import { busy, job, notice, phase, problem, signingAgain, stop, stoppable } from "../state/work";
import { Icon } from "./icons";
import { Suggestions } from "./suggestions";

/** `connect` where there is no wallet yet: it is asked for before anything else. */
export function Composer({ pay, connect, payer }: { pay: () => void; connect: (() => void) | null; payer: string }) {
  const more = useSignal(false);
  const refused = quoteProblem.value;
  const wants = prompt.value.trim().length > 0;
  const said = problem.value ? wayOn(problem.value) : wants && refused ? nearest(refused.message) : modelsProblem.value;
  const lost = wants && refused?.field === "prompt" && Boolean(model.value?.abilities);
  return (
    <section class="composer" aria-label="What to change">
      {(!wants || lost) && !busy.value && <Suggestions />}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (connect) connect();
          else if (can(wants)) pay();
        }}
      >
        <label class="words">
          <span class="hidden">What should change?</span>
          <textarea
            id="prompt"
            rows={1}
            maxLength={32000}
            value={prompt.value}
            placeholder={masked.value ? "What should the painted part become?" : "What should change? For example: a starry sky behind us"}
            aria-invalid={wants && refused?.field === "prompt" ? "true" : undefined}
            aria-describedby={said ? "said" : undefined}
            onInput={(event) => {
              prompt.value = event.currentTarget.value;
              problem.value = null;
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }}
          />
        </label>
        <div class="choices">
          <ModelChoice />
          <SizeChoice model={model.value} />
          <button type="button" class="quiet" aria-expanded={more.value} aria-controls="more" onClick={() => (more.value = !more.value)}>
            <Icon name="more" /> <span class="wide">More</span>
            <span class="hidden narrow">More choices</span>
          </button>
          <PayButton wants={wants} connects={connect !== null} />
        </div>
        {more.value && <More />}
      </form>
      {said && (
        <p id="said" class="says bad" role="alert">
          <Icon name="warn" />
          <span>{said}</span>
          {!models.value.length && modelsProblem.value && (
            <button type="button" class="quiet framed" onClick={() => void loadModels()}>
              Try again
            </button>
          )}
        </p>
      )}
      {notice.value && !said && (
        <p class="says" role="status">
          {notice.value}
        </p>
      )}
      <p class="foot">{unsent() ?? <Terms payer={payer} />}</p>
    </section>
  );
}

/** Without the list of all that would work: it is offered above, to be pressed. */
const nearest = (message: string) => message.replace(/ (?:It can|All that it can do).*$/s, "");

const unsent = () => (masked.value && model.value && !model.value.mask ? `${model.value.name} takes no mask: yours is not sent.` : null);

function Terms({ payer }: { payer: string }) {
  return (
    <>
      <span class="wide">{payer ? `Paid by ${payer}. ` : "Paid in USDC from your own wallet, edit by edit. "}</span>
      Nothing is charged unless there is a result.
    </>
  );
}

const can = (wants: boolean) => wants && quote.value !== null && !quoting.value && !busy.value;

function PayButton({ wants, connects }: { wants: boolean; connects: boolean }) {
  if (busy.value) {
    return (
      <span class="pay">
        <span class="doing" role="status">
          {doing()}
        </span>
        <button type="button" class="quiet framed" onClick={() => void stop()} disabled={!stoppable.value}>
          Cancel
        </button>
      </span>
    );
  }
  const price = quote.value?.price;
  return (
    <button type="submit" class="loud pay" disabled={!connects && !can(wants)}>
      {connects ? "Connect a wallet" : "Edit"}
      <span class="price" aria-live="polite">
        {price ? dollars(price.amount) : quote.value ? "free" : quoting.value ? "…" : ""}
      </span>
    </button>
  );
}

function doing(): string {
  const at = job.value;
  if (signingAgain.value) return "Ready. The payment lapsed meanwhile: confirm it once more …";
  if (phase.value === "signing") return "Confirm in your wallet …";
  if (phase.value === "away") return "Waiting for the connection; nothing is lost …";
  if (phase.value === "sending") return "Sending …";
  if (phase.value === "fetching") return "Fetching the result …";
  if (at?.queue_position) return `Waiting, ${at.queue_position} before you …`;
  if (at?.progress) return `At work, ${Math.round(at.progress * 100)} % …`;
  return at?.status === "queued" ? "Waiting for its turn …" : "At work …";
}

export const dollars = (amount: string) => `$${amount.replace(/(\.\d\d\d*?)0+$/, "$1")}`;

function ModelChoice() {
  return (
    <label class="choice">
      <span class="hidden">Model</span>
      <select
        value={modelId.value}
        onChange={(event) => {
          modelId.value = event.currentTarget.value;
          if (!model.value?.sizes.includes(size.value)) size.value = "auto";
        }}
      >
        {models.value.map((row) => (
          <option key={row.id} value={row.id}>
            {`${row.name} · ${priced(row)}${row.mask ? "" : " · no mask"}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** `+` where larger sizes cost more. */
const priced = (row: Model) => dollars(String(row.price_per_image)) + (new Set(Object.values(row.pricing)).size > 1 ? "+" : "");

const NAMES: Record<string, string> = { auto: "Size as it is", "1024x1024": "Square 1024", "1536x1024": "Wide 1536 × 1024", "1024x1536": "Tall 1024 × 1536" };

function SizeChoice({ model: row }: { model: Model | null }) {
  const sizes = row?.sizes ?? ["auto"];
  return (
    <label class="choice">
      <span class="hidden">Size</span>
      <select value={size.value} onChange={(event) => (size.value = event.currentTarget.value)}>
        {[...sizes].sort((a, b) => Number(b === "auto") - Number(a === "auto")).map((each) => (
          <option key={each} value={each}>
            {NAMES[each] ?? each.replace("x", " × ")}
          </option>
        ))}
      </select>
    </label>
  );
}

function More() {
  return (
    <div id="more" class="more">
      <label>
        Variations
        <input type="number" min="1" max="10" value={count.value} onInput={(event) => (count.value = bounded(event.currentTarget.value, 1, 10, 1))} />
      </label>
      <label>
        Seed
        <input
          type="number"
          min="0"
          max="2147483646"
          placeholder="random"
          value={seed.value ?? ""}
          onInput={(event) => (seed.value = event.currentTarget.value === "" ? null : bounded(event.currentTarget.value, 0, 2147483646, 0))}
        />
      </label>
      <label>
        Format
        <select value={format.value} onChange={(event) => (format.value = event.currentTarget.value as typeof format.value)}>
          <option value="png">PNG, exact</option>
          <option value="webp">WebP, exact and smaller</option>
          <option value="jpeg">JPEG, smallest</option>
        </select>
      </label>
    </div>
  );
}

const bounded = (text: string, low: number, high: number, otherwise: number) => {
  const value = Math.trunc(Number(text));
  return Number.isFinite(value) && text.trim() ? Math.min(high, Math.max(low, value)) : otherwise;
};
