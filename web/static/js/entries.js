// The register beside the video: one entry a student, counts, chips and search.

import { byId, clockOf, copyOf, initialsOf, say } from "./pages.js";

/**
 * @typedef {{student_id: number, number: string, name: string, status: string | null,
 *   source: string | null, first_seen: string | null, last_seen: string | null, seen_s: number,
 *   percent: number | null, in_review: boolean, is_doubted: boolean, has_crop: boolean,
 *   note: string}} Row
 */

const HERE = new Set(["present", "late", "left_early"]);
const ALWAYS_SHOWN = new Set(["all", "present", "late", "unseen"]);

/**
 * What a row is shown as: a doubt only while nobody has decided.
 * @param {Row} row
 */
export function shownStatus(row) {
  if (row.in_review && (row.status === null || row.status === "unresolved")) return "review";
  return row.status ?? "unseen";
}

/**
 * Whether a person should look: a doubt before the mark, or one after it.
 * @param {Row} row
 */
function needsPerson(row) {
  return row.is_doubted || shownStatus(row) === "review";
}

export class Entries {
  /**
   * @param {Row[]} rows
   * @param {number} asOf
   * @param {string} timeZone
   * @param {(row: Row, isWhy?: boolean) => void} onOpen
   */
  constructor(rows, asOf, timeZone, onOpen) {
    this.list = byId("entries");
    this.session = Number(byId("main").dataset.session);
    this.tray = "[]";
    this.clock = clockOf(timeZone);
    this.onOpen = onOpen;
    this.filter = "all";
    this.search = "";
    /** @type {Map<number, {row: Row, asOf: number, element: HTMLElement}>} */
    this.entries = new Map();
    for (const row of rows) this.add(row, asOf);
    this.listen();
    this.refresh();
  }

  /** @param {number | null} studentId */
  find(studentId) {
    return studentId === null ? undefined : this.entries.get(studentId)?.row;
  }

  /**
   * Takes newer rows; an answer that was overtaken on its way changes nothing.
   * @param {Row[]} rows
   * @param {number} asOf
   */
  update(rows, asOf) {
    for (const row of rows) {
      const known = this.entries.get(row.student_id);
      if (!known) this.add(row, asOf);
      else if (asOf >= known.asOf) this.replace(known, row, asOf);
    }
    this.refresh();
  }

  /**
   * @param {Row} row
   * @param {number} asOf
   */
  add(row, asOf) {
    const element = /** @type {HTMLElement} */ (copyOf("entry"));
    for (const button of element.querySelectorAll("button")) {
      button.addEventListener("click", () => {
        const current = this.find(row.student_id);
        if (current) this.onOpen(current, "why" in button.dataset);
      });
    }
    element.dataset.student = String(row.student_id);
    this.list.append(element);
    this.entries.set(row.student_id, { row, asOf, element });
    this.draw(element, row);
  }

  /**
   * @param {{row: Row, asOf: number, element: HTMLElement}} known
   * @param {Row} row
   * @param {number} asOf
   */
  replace(known, row, asOf) {
    const hasChanged = shownStatus(known.row) !== shownStatus(row);
    known.row = row;
    known.asOf = asOf;
    this.draw(known.element, row);
    if (hasChanged) this.glow(known.element);
  }

  /** @param {HTMLElement} element */
  glow(element) {
    element.classList.remove("is-new");
    void element.offsetWidth;
    element.classList.add("is-new");
  }

  /**
   * @param {HTMLElement} element
   * @param {Row} row
   */
  draw(element, row) {
    const shown = shownStatus(row);
    element.className = `entry entry-${shown}`;
    element.dataset.status = shown;
    const time = this.clock(row.first_seen);
    this.slot(element, "initials").textContent = initialsOf(row.name);
    this.slot(element, "name").textContent = row.name;
    this.slot(element, "number").textContent = row.number;
    const seen = time ? say("sentences", "seen_at", { time }) : "";
    this.slot(element, "time").textContent = row.is_doubted ? say("sentences", "check") : seen;
    this.slot(element, "time").classList.toggle("entry-doubt", row.is_doubted);
    const why = /** @type {HTMLElement} */ (element.querySelector("[data-why]"));
    why.hidden = row.percent === null;
    why.setAttribute("aria-label", say("sentences", "why", { name: row.name }));
    const badge = copyOf(`status-${shown}`);
    if (badge) this.slot(element, "status").replaceChildren(badge);
    element.querySelector("button")?.setAttribute("title", say("sentences", "change"));
  }

  /**
   * @param {HTMLElement} element
   * @param {string} name
   */
  slot(element, name) {
    return /** @type {HTMLElement} */ (element.querySelector(`[data-slot=${name}]`));
  }

  listen() {
    byId("chips").addEventListener("click", (event) => {
      const chip = event.target instanceof Element ? event.target.closest("[data-filter]") : null;
      if (chip) this.choose(chip.getAttribute("data-filter") ?? "all");
    });
    byId("search").addEventListener("input", (event) => {
      this.search = /** @type {HTMLInputElement} */ (event.target).value.trim().toLowerCase();
      this.refresh();
    });
  }

  /**
   * Shows one status only; the same again shows all.
   * @param {string} filter
   */
  choose(filter) {
    this.filter = filter === this.filter ? "all" : filter;
    this.refresh();
  }

  refresh() {
    const counts = this.count();
    const here = [...HERE].reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
    const all = this.entries.size;
    byId("count-here").textContent = String(here);
    byId("count-all").textContent = String(all);
    byId("ring").setAttribute("stroke-dasharray", `${all ? (here / all) * 100 : 0} 100`);
    this.showChips(counts.set("all", all));
    this.showTray();
    this.showMatching();
  }

  /** @returns {Map<string, number>} */
  count() {
    const counts = new Map();
    for (const { row } of this.entries.values()) {
      const shown = shownStatus(row);
      counts.set(shown, (counts.get(shown) ?? 0) + 1);
    }
    return counts;
  }

  /** @param {Map<string, number>} counts */
  showChips(counts) {
    for (const chip of byId("chips").querySelectorAll("[data-filter]")) {
      const filter = chip.getAttribute("data-filter") ?? "all";
      const count = counts.get(filter) ?? 0;
      const isChosen = filter === this.filter;
      chip.setAttribute("aria-pressed", String(isChosen));
      chip.toggleAttribute("hidden", count === 0 && !isChosen && !ALWAYS_SHOWN.has(filter));
      const words = chip.querySelector(".chip-count");
      if (words) words.textContent = String(count);
    }
  }

  /** The doubts as cards below the video, made anew only where they changed. */
  showTray() {
    const rows = [...this.entries.values()].map(({ row }) => row).filter(needsPerson);
    const key = JSON.stringify(rows);
    if (key === this.tray) return;
    this.tray = key;
    byId("tray").replaceChildren(...rows.map((row) => this.card(row)));
    byId("tray").hidden = rows.length === 0;
    byId("tray-empty").hidden = rows.length > 0;
    byId("tray-count").textContent = String(rows.length);
  }

  /**
   * One doubt, with the face the camera saw beside the name.
   * @param {Row} row
   */
  card(row) {
    const card = /** @type {HTMLElement} */ (copyOf("tray-card"));
    this.slot(card, "name").textContent = row.name;
    this.slot(card, "number").textContent = row.number;
    card.querySelector("button")?.addEventListener("click", () => this.onOpen(row));
    const face = /** @type {HTMLImageElement} */ (card.querySelector("img"));
    face.addEventListener("load", () => face.removeAttribute("hidden"));
    if (row.has_crop) face.src = `/sessions/${this.session}/students/${row.student_id}/face.jpg`;
    return card;
  }

  showMatching() {
    let shown = 0;
    for (const { row, element } of this.entries.values()) {
      const isOfStatus = this.filter === "all" || shownStatus(row) === this.filter;
      const text = `${row.name} ${row.number}`.toLowerCase();
      element.hidden = !(isOfStatus && text.includes(this.search));
      if (!element.hidden) shown += 1;
    }
    byId("nobody").hidden = shown > 0;
  }
}
