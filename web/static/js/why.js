// What a row rests on: sentences, pictures of what the camera saw, the looks as figures.

import { byId, copyOf, say, send } from "./pages.js";

/**
 * @typedef {{at: string, percent: number, second_percent: number | null, score: number,
 *   quality: number, flaw: string, crop: string | null}} Look
 * @typedef {{sentences: string[], threshold: number | null, model_id: string, keep_days: number,
 *   looks: Look[]}} Why
 */

export class WhyPanel {
  /**
   * @param {number} session
   * @param {string} timeZone
   */
  constructor(session, timeZone) {
    this.session = session;
    const style = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.clock = new Intl.DateTimeFormat("en-GB", { timeZone, ...style });
    this.details = /** @type {HTMLDetailsElement} */ (/** @type {unknown} */ (byId("why-details")));
    this.asked = 0;
  }

  /**
   * Shows one student's reasons once they arrive; an answer that was overtaken is dropped.
   * @param {number} student
   * @param {boolean} isOpen whether the figures are shown at once
   */
  async show(student, isOpen) {
    const turn = ++this.asked;
    this.clear();
    const address = `/api/sessions/${this.session}/students/${student}/why`;
    try {
      const why = await send(address, { method: "GET" });
      if (turn === this.asked) this.fill(why, isOpen);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (turn === this.asked) this.tell([say("why-sentences", "unread", { problem })]);
    }
  }

  clear() {
    this.details.hidden = true;
    this.details.open = false;
    byId("why-faces").hidden = true;
    byId("why-faces").replaceChildren();
    this.tell([]);
  }

  /**
   * @param {Why} why
   * @param {boolean} isOpen
   */
  fill(why, isOpen) {
    this.tell(why.sentences);
    const faces = why.looks.filter((look) => look.crop).map((look) => this.face(look));
    byId("why-faces").replaceChildren(...faces);
    byId("why-faces").hidden = faces.length === 0;
    byId("why-looks").replaceChildren(...why.looks.flatMap((look) => this.rows(look)));
    byId("why-rule").textContent = say(
      "why-sentences",
      faces.length > 0 ? "rule" : "rule_without_pictures",
      { threshold: (why.threshold ?? 0).toFixed(2), model: why.model_id, days: why.keep_days },
    );
    this.details.hidden = why.looks.length === 0;
    this.details.open = isOpen;
  }

  /** @param {string[]} sentences */
  tell(sentences) {
    const lines = sentences.map((sentence) => {
      const line = document.createElement("p");
      line.textContent = sentence.replaceAll(" %", "\u00a0%");
      return line;
    });
    byId("why-words").replaceChildren(...lines);
  }

  /** @param {Look} look */
  face(look) {
    const item = /** @type {HTMLElement} */ (copyOf("why-face"));
    const picture = /** @type {HTMLImageElement} */ (item.querySelector("img"));
    picture.src = look.crop ?? "";
    picture.alt = say("why-sentences", "saw", { time: this.time(look) });
    picture.addEventListener("error", () => item.remove());
    const caption = /** @type {HTMLElement} */ (item.querySelector("figcaption"));
    caption.textContent = say("why-sentences", "percent", { percent: look.percent });
    return item;
  }

  /**
   * One look as figures, and below them what was wrong with the view, if anything was.
   * @param {Look} look
   */
  rows(look) {
    const row = /** @type {HTMLElement} */ (copyOf("why-look"));
    const second = look.second_percent;
    const words = {
      time: this.time(look),
      alike: say("why-sentences", "percent", { percent: look.percent }),
      second: second === null ? "" : say("why-sentences", "percent", { percent: second }),
      score: look.score.toFixed(2),
      quality: look.quality.toFixed(2),
    };
    for (const [name, text] of Object.entries(words)) {
      const cell = row.querySelector(`[data-slot=${name}]`);
      if (cell) cell.textContent = text;
    }
    if (!look.flaw) return [row];
    const flaw = /** @type {HTMLElement} */ (copyOf("why-flaw"));
    const told = flaw.querySelector("td");
    if (told) told.textContent = say("why-sentences", "flaw", { flaw: look.flaw });
    row.classList.add("has-flaw");
    return [row, flaw];
  }

  /** @param {Look} look */
  time(look) {
    return this.clock.format(new Date(look.at));
  }
}
