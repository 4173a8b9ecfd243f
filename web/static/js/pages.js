// Small pieces every script of a page uses: templates to copy, sentences, requests.

/**
 * The element with this id; a page without it is a bug.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`this page has no element #${id}`);
  return /** @type {any} */ (found);
}

/**
 * A copy of the first element of a `<template>`, or of the one with a data attribute.
 * @param {string} id
 * @param {string} [selector]
 * @returns {HTMLElement | null}
 */
export function copyOf(id, selector) {
  const content = /** @type {HTMLTemplateElement} */ (byId(id)).content;
  const chosen = selector ? content.querySelector(selector) : content.firstElementChild;
  return /** @type {HTMLElement | null} */ (chosen?.cloneNode(true) ?? null);
}

/**
 * A sentence of the page with its blanks filled: `say("sentences", "since", {minutes: 12})`.
 * @param {string} id
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(id, key, values = {}) {
  const words = copyOf(id, `[data-key="${key}"]`)?.textContent ?? "";
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Sends something to the server; a refusal becomes an Error with the server's sentence.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function send(address, options = {}) {
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  const headers = new Headers(options.headers);
  headers.set("X-CSRFToken", token);
  headers.set("Accept", "application/json");
  let answer;
  try {
    answer = await fetch(address, { method: "POST", ...options, headers });
  } catch {
    throw new Error("The server does not answer. Is it still running? Nothing was changed.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.message ?? "That did not work. Nothing was changed.");
  return body;
}

/**
 * Clock times of a room, whatever zone the browser is in.
 * @param {string} timeZone
 * @returns {(iso: string | null) => string}
 */
export function clockOf(timeZone) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  return (iso) => (iso ? format.format(new Date(iso)) : "");
}

/**
 * A span as people say it: "40 s", "12 min".
 * @param {number} seconds
 */
export function spanWords(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * One or two letters for a round; one syllable for Hangul.
 * @param {string} name
 */
export function initialsOf(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return "–";
  const letters = words.length === 1 ? [words[0]] : [words[0], words[words.length - 1]];
  return letters.map((word) => [...word][0]).join("").toUpperCase();
}
