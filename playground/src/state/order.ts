/** What is asked for, and what it would cost: the quote follows every change. */

import { computed, effect, signal } from "@preact/signals";
import { models as fetchModels, quote as askPrice } from "../api/calls";
import { Problem } from "../api/http";
import type { Model, Order, Quote } from "../api/types";
import { maskRevision, picture } from "./picture";

export const models = signal<Model[]>([]);
export const modelsProblem = signal("");
export const modelId = signal("");
export const prompt = signal("");
export const size = signal("auto");
export const count = signal(1);
export const seed = signal<number | null>(null);
export const format = signal<"png" | "jpeg" | "webp">("png");

export const model = computed(() => models.value.find((each) => each.id === modelId.value) ?? null);

/** Whether a mask has been painted; the model may take none. */
export const masked = computed(() => {
  maskRevision.value;
  return (picture.value?.mask.bounds() ?? null) !== null;
});

export const quote = signal<Quote | null>(null);
export const quoteProblem = signal<Problem | null>(null);
export const quoting = signal(false);

/** Asks for the same as an earlier page did. */
export function recall(order: Order): void {
  [modelId.value, prompt.value, size.value, count.value, seed.value, format.value] = [order.model, order.prompt, order.size, order.n, order.seed, order.format];
}

const DEFAULTS = ["tollbrush/studio", "openai/gpt-image-1"];

export async function loadModels(): Promise<void> {
  try {
    const there = (await fetchModels()).filter((row) => row.available);
    models.value = there;
    modelsProblem.value = there.length ? "" : "This server has no model at the moment.";
    if (!there.some((row) => row.id === modelId.value)) {
      modelId.value = DEFAULTS.find((id) => there.some((row) => row.id === id)) ?? there[0]?.id ?? "";
    }
  } catch (failure) {
    modelsProblem.value = failure instanceof Problem ? failure.message : String(failure);
  }
}

const SETTLED = 250;
/** Seconds until a server that did not answer is asked again. */
const AGAIN = 3;

/** Asks for the price a moment after the last change; an answer that is no longer wanted is dropped. */
export function followPrice(): () => void {
  let timer = 0;
  let running: AbortController | null = null;
  return effect(() => {
    const at = picture.value;
    const question = {
      model: modelId.value,
      prompt: prompt.value,
      size: size.value,
      n: count.value,
      width: at?.width ?? 1024,
      height: at?.height ?? 1024,
      masked: masked.value,
    };
    clearTimeout(timer);
    running?.abort();
    if (!question.model) return;
    quoting.value = true;
    const ask = async () => {
      const mine = (running = new AbortController());
      try {
        quote.value = await askPrice(question, mine.signal);
        quoteProblem.value = null;
      } catch (failure) {
        if (mine.signal.aborted) return;
        const told = failure instanceof Problem ? failure : new Problem(String(failure), -1);
        [quote.value, quoteProblem.value] = [null, told];
        if (told.passing) timer = window.setTimeout(ask, 1000 * Math.max(AGAIN, told.retryAfter));
      }
      if (!mine.signal.aborted) quoting.value = false;
    };
    timer = window.setTimeout(ask, SETTLED);
  });
}
