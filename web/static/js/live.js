// The live page: brings the feed, the register, the video and the dialog together.

import { isShortcut } from "./app.js";
import { CorrectDialog } from "./correct.js";
import { Entries, shownStatus } from "./entries.js";
import { Feed } from "./feed.js";
import { byId, copyOf, say } from "./pages.js";
import { Sweep } from "./sweep.js";
import { Video } from "./video.js";

const ANNOUNCED = new Set(["arrival", "review", "doubted", "confirmed"]);
const main = byId("main");
const session = Number(main.dataset.session);
const timeZone = main.dataset.timezone ?? "UTC";
const snapshot = JSON.parse(byId("snapshot").textContent ?? "{}");

const dialog = new CorrectDialog(session, timeZone, () => {});
const entries = new Entries(snapshot.rows, snapshot.as_of, timeZone, (row, isWhy) => {
  dialog.open(row, isWhy);
});
const video = new Video(
  byId("canvas"),
  main.dataset.preview ?? "",
  (student) => entries.find(student)?.name ?? "",
  () => {
    byId("video-wait").hidden = true;
  },
);

const sweep = new Sweep();
const known = { state: snapshot.session.state, camera: /** @type {any} */ (null) };

/** The camera in words and figures; a state that stops the marking also as a banner. */
function showCamera() {
  const state = known.state === "paused" ? "paused" : (known.camera?.state ?? "starting");
  const shown = byId("camera-state");
  if (shown.dataset.state !== state) {
    shown.dataset.state = state;
    const words = copyOf("camera-words", `[data-state="${state}"]`);
    shown.replaceChildren(...(words ? [words] : []));
    const warning = copyOf("banner-words", `[data-state="${state}"]`);
    const detail = warning?.querySelector("[data-slot=detail]");
    if (detail) detail.textContent = known.camera?.detail ?? "";
    byId("video-banner").replaceChildren(...(warning ? [warning] : []));
    byId("video-banner").hidden = !warning;
  }
  if (known.camera) showFigures(known.camera);
}

/** @param {any} camera */
function showFigures(camera) {
  const percent = Math.ceil(camera.skipped * 100 - 1e-9);
  byId("figure-fps").textContent = String(Math.round(camera.fps));
  byId("figure-skipped").textContent = say("sentences", "skipped", { percent });
  byId("figure-unknown").textContent = String(camera.unknown_faces);
  byId("reach").textContent = say("sentences", "reach", {
    face: camera.reach.min_face_px,
    metres: camera.reach.metres.toFixed(1),
    view: Math.round(camera.reach.view_deg),
    width: camera.reach.width_px,
    sweep: camera.reach.sweep_metres.toFixed(1),
  });
}

/** @param {any} current */
function showSession(current) {
  known.state = current.state;
  byId("pause-form").hidden = current.state !== "open";
  byId("resume-form").hidden = current.state !== "paused";
  sweep.show(current);
  if (current.state !== "open" && current.state !== "paused") {
    location.replace(main.dataset.registerPage ?? "/");
  }
  showCamera();
}

/**
 * Reads arrivals out politely.
 * @param {import("./feed.js").SessionEvent[]} events
 */
function announce(events) {
  const sentences = [];
  for (const event of events) {
    const row = entries.find(event.student_id);
    if (!row || !ANNOUNCED.has(event.kind)) continue;
    const status = copyOf(`status-${shownStatus(row)}`)?.textContent?.trim() ?? "";
    sentences.push(say("sentences", event.kind, { name: row.name, status }));
  }
  if (sentences.length > 0) byId("announcer").textContent = sentences.join(". ");
}

/** @param {string} sentence */
function showTrouble(sentence) {
  byId("connection").hidden = sentence === "";
  byId("connection-words").textContent = sentence;
}

const feed = new Feed(session, snapshot.as_of, {
  onEvents: (message, fresh) => {
    entries.update(message.rows, message.as_of);
    announce(fresh);
    sweep.tell(fresh);
    showSession(message.session);
  },
  onCamera: (camera) => {
    known.camera = camera;
    showCamera();
  },
  onTrouble: showTrouble,
  onConnection: (isConnected) => {
    main.dataset.connection = isConnected ? "on" : "off";
    showTrouble(isConnected ? "" : say("sentences", "reconnecting"));
  },
});

function showClock() {
  const now = new Date();
  const style = /** @type {const} */ ({ timeZone, hour: "2-digit", minute: "2-digit" });
  byId("wall-clock").textContent = new Intl.DateTimeFormat("en-GB", style).format(now);
  const minutes = Math.floor((now.getTime() - Date.parse(main.dataset.opened ?? "")) / 60_000);
  byId("since").textContent = say("sentences", "since", { minutes: Math.max(0, minutes) });
}

function switchProjector() {
  const isProjector = main.classList.toggle("is-projector");
  byId("projector").setAttribute("aria-pressed", String(isProjector));
  video.want(!isProjector);
}

/** @type {Record<string, () => void>} */
const keys = {
  "/": () => byId("search").focus(),
  r: () => entries.choose("review"),
  b: switchProjector,
  c: () => byId("close-link").click(),
  l: () => byId("sweep").click(),
  p: () => {
    const form = known.state === "paused" ? byId("resume-form") : byId("pause-form");
    /** @type {HTMLFormElement} */ (/** @type {unknown} */ (form)).requestSubmit();
  },
};

document.addEventListener("keydown", (event) => {
  const act = keys[event.key.toLowerCase()];
  if (!act || !isShortcut(event)) return;
  event.preventDefault();
  act();
});

byId("projector").addEventListener("click", switchProjector);
setInterval(showClock, 1000);
showClock();
showSession(snapshot.session);
main.dataset.ready = String(feed.session);
