/** The few calls the page makes, the same to a router and to a gateway. */

import { facts, json, send } from "./http";
import type { Model, Order, Quote } from "./types";

export const models = async (): Promise<Model[]> => (await json<{ data: Model[] }>(await send("v1/models"))).data;

export interface Question {
  model: string;
  prompt: string;
  size: string;
  n: number;
  width: number;
  height: number;
  masked: boolean;
}

export async function quote(question: Question, signal: AbortSignal): Promise<Quote> {
  const { prompt, ...rest } = question;
  const asked = prompt.trim() ? { ...rest, prompt } : rest;
  const init = { method: "POST", body: JSON.stringify(asked), headers: { "Content-Type": "application/json" }, signal };
  return json<Quote>(await send("v1/images/quote", init));
}

/** The edit as a form: files as they are, no base64. `at`: when it was first sent, so that a router knows it again. */
export function formOf(order: Order, at: number): FormData {
  const form = new FormData();
  form.set("model", order.model);
  form.set("prompt", order.prompt);
  form.set("size", order.size);
  form.set("n", String(order.n));
  form.set("output_format", order.format);
  if (order.seed !== null) form.set("seed", String(order.seed));
  if (order.previews) form.set("previews", String(order.previews));
  if (facts.role === "router") form.set("since", String(Math.floor(at / 1000)));
  form.set("image", order.image, "image");
  if (order.mask) form.set("mask", order.mask, "mask.png");
  return form;
}
