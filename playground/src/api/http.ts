/** Requests to whoever served the page, and their failures in words. */

import type { Facts } from "./types";

export const facts: Facts = readFacts();

function readFacts(): Facts {
  const found = document.querySelector<HTMLMetaElement>('meta[name="tollbrush"]')?.content;
  const told = found ? (JSON.parse(found) as Partial<Facts>) : {};
  return { role: "router", version: "", token: "", networks: [], ...told };
}

/** Something that did not work: a sentence for the reader, and what the server said about it. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code = "",
    readonly field = "",
    readonly retryAfter = 0,
  ) {
    super(message);
  }

  /** Worth the same request once more, with the same payment. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

const UNREACHED = {
  router: "The router does not answer. Start it with: tollbrush route (or tollbrush up), then try again.",
  gateway: "This gateway does not answer at the moment. Nothing is lost: try again in a little while.",
};

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (facts.token) headers.set("x-tollbrush-token", facts.token);
  try {
    return await fetch(new URL(path, document.baseURI), { ...init, headers, redirect: "error", credentials: "omit" });
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    throw new Problem(UNREACHED[facts.role], 0, "unreachable");
  }
}

/** The JSON of an answer that is in order. Raises Problem for any other. */
export async function json<T>(response: Response): Promise<T> {
  if (!response.ok) throw await problemOf(response);
  return (await body(response)) as T;
}

export async function problemOf(response: Response): Promise<Problem> {
  const said = ((await body(response)) ?? {}) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === "string" ? (said[name] as string) : "");
  const details = Array.isArray(said["details"]) ? (said["details"] as { path?: string }[]) : [];
  const words = text("message") || text("error") || `The server answered ${response.status} without a reason.`;
  const seconds = Number(response.headers.get("Retry-After")) || 0;
  return new Problem(sentence(words), response.status, text("reason") || text("code"), details[0]?.path ?? "", seconds);
}

/** As it stands at the beginning of a line. */
export const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

async function body(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    if (!response.ok) return null;
    throw new Problem("The server answered something unreadable. Try again.", response.status, "unreadable");
  }
}
