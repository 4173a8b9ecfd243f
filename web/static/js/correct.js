// The dialog that shows what a row rests on and takes a correction.

import { byId, clockOf, copyOf, say, send, spanWords } from "./pages.js";
import { shownStatus } from "./entries.js";
import { WhyPanel } from "./why.js";

/** @typedef {import("./entries.js").Row} Row */

export class CorrectDialog {
  /**
   * @param {number} session
   * @param {string} timeZone
   * @param {() => void} [onSaved] after a correction; without it the form is posted as a page
   */
  constructor(session, timeZone, onSaved) {
    this.session = session;
    this.clock = clockOf(timeZone);
    this.why = new WhyPanel(session, timeZone);
    this.dialog = /** @type {HTMLDialogElement} */ (/** @type {unknown} */ (byId("correct")));
    this.form = /** @type {HTMLFormElement} */ (/** @type {unknown} */ (byId("correct-form")));
    this.problem = byId("correct-problem");
    this.studentId = 0;
    if (onSaved) this.form.addEventListener("submit", (event) => this.save(event, onSaved));
  }

  /**
   * @param {Row} row
   * @param {boolean} [isWhy] whether the looks behind it are shown at once
   */
  open(row, isWhy = false) {
    this.studentId = row.student_id;
    this.form.reset();
    this.problem.hidden = true;
    this.form.action = `/sessions/${this.session}/students/${row.student_id}/correct`;
    byId("correct-name").textContent = row.name;
    byId("correct-number").textContent = row.number;
    byId("correct-review").hidden = shownStatus(row) !== "review";
    byId("correct-doubt").hidden = !row.is_doubted;
    byId("correct-facts").replaceChildren(...this.facts(row));
    const chosen = this.form.querySelector(`input[name=status][value="${row.status}"]`);
    if (chosen instanceof HTMLInputElement) chosen.checked = true;
    this.dialog.showModal();
    void this.why.show(row.student_id, isWhy);
  }

  /** @param {Row} row */
  facts(row) {
    const badge = copyOf(`status-${shownStatus(row)}`);
    const who = row.source ? say("fact-words", row.source) : "";
    const state = document.createElement("span");
    if (badge) state.append(badge, " ", who);
    return [
      ...this.fact("status", state),
      ...this.fact("first_seen", this.clock(row.first_seen)),
      ...this.fact("last_seen", row.last_seen === row.first_seen ? "" : this.clock(row.last_seen)),
      ...this.fact("seen", row.seen_s >= 1 ? spanWords(row.seen_s) : ""),
      ...this.fact("note", row.note),
    ];
  }

  /**
   * @param {string} key
   * @param {string | HTMLElement} value nothing to show if empty
   */
  fact(key, value) {
    if (value === "") return [];
    const term = document.createElement("dt");
    term.textContent = say("fact-words", key);
    const words = document.createElement("dd");
    words.append(value);
    return [term, words];
  }

  /**
   * @param {SubmitEvent} event
   * @param {() => void} onSaved
   */
  async save(event, onSaved) {
    event.preventDefault();
    const data = new FormData(this.form);
    const body = JSON.stringify({ status: data.get("status"), reason: data.get("reason") });
    const headers = { "Content-Type": "application/json" };
    try {
      await send(`/api/sessions/${this.session}/students/${this.studentId}`, { body, headers });
      this.dialog.close();
      onSaved();
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
      this.problem.hidden = false;
    }
  }
}
