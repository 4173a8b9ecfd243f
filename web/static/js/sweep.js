// Looking again: the button that asks for it, and what came of it.

import { byId, say, send } from "./pages.js";

const NOTICE_MS = 20_000;

export class Sweep {
  constructor() {
    this.form = /** @type {HTMLFormElement} */ (/** @type {unknown} */ (byId("sweep-form")));
    this.button = /** @type {HTMLButtonElement} */ (byId("sweep"));
    this.notice = byId("sweep-notice");
    this.timer = 0;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  async ask() {
    this.button.disabled = true;
    try {
      this.show(await send(this.form.dataset.api ?? ""));
    } catch (error) {
      this.button.disabled = false;
      this.say(/** @type {Error} */ (error).message);
    }
  }

  /**
   * The button as the session stands.
   * @param {{state: string, looks_again: boolean}} session
   */
  show(session) {
    this.button.disabled = session.state !== "open" || session.looks_again;
    this.form.classList.toggle("is-sweeping", session.looks_again);
    byId("sweep-words").textContent = say(
      "sentences",
      session.looks_again ? "looking_again" : "look_again",
    );
  }

  /**
   * Says what the newest sweep found.
   * @param {import("./feed.js").SessionEvent[]} events
   */
  tell(events) {
    const done = events.filter((event) => event.kind === "looked_again").pop();
    if (!done) return;
    const faces = done.payload.faces;
    const key = faces === 0 ? "none" : faces === 1 ? "one" : "many";
    this.say(say("sentences", `looked_again_${key}`, { faces }));
  }

  /** @param {string} sentence */
  say(sentence) {
    this.notice.textContent = sentence;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.notice.textContent = "";
    }, NOTICE_MS);
  }
}
