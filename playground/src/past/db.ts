/** What was made here, kept in this browser alone: pictures, words and receipts, and tickets of edits under way. */

import type { Answer, Order } from "../api/types";
import type { Ticket } from "../pay/purse";

export interface Past {
  id: string;
  at: number;
  name: string;
  prompt: string;
  answer: Answer;
  source: Blob;
  results: Blob[];
}

/** An edit under way, whole, so that it survives the page: sent again with the same payment it is bought once. */
export interface Open {
  id: string;
  at: number;
  name: string;
  order: Order;
  ticket: Ticket;
  /** Once it is there, and its pictures are still to be fetched. */
  answer?: Answer;
}

const NAME = "tollbrush";
export const MOST = 60;

export class StorageFull extends Error {}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("past", { keyPath: "id" });
      request.result.createObjectStore("open", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  opened.catch(() => (opened = null));
  return opened;
}

async function run<T>(store: "past" | "open", mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, mode, { durability: "strict" });
    const failed = (why: unknown) => reject((why as DOMException | null)?.name === "QuotaExceededError" ? new StorageFull() : why);
    try {
      const request = act(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => failed(transaction.error ?? request.error);
    } catch (why) {
      failed(why);
    }
  });
}

export const keepOpen = (edit: Open) => run("open", "readwrite", (store) => store.put(edit));
export const dropOpen = (id: string) => run("open", "readwrite", (store) => store.delete(id));
export const allOpen = () => run<Open[]>("open", "readonly", (store) => store.getAll());

export const dropPast = (id: string) => run("past", "readwrite", (store) => store.delete(id));

/** Newest first. */
export async function allPast(): Promise<Past[]> {
  const rows = await run<Past[]>("past", "readonly", (store) => store.getAll());
  return rows.sort((a, b) => b.at - a.at);
}

/** Keeps it, and lets the oldest go. Raises StorageFull. */
export async function keepPast(edit: Past): Promise<void> {
  await run("past", "readwrite", (store) => store.put(edit));
  for (const old of (await allPast()).slice(MOST)) await dropPast(old.id);
}
