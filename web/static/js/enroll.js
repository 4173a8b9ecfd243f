// The enrolment page: each photo is looked at as it is chosen; nothing is stored before the end.

import { byId, say, send } from "./pages.js";

/** @typedef {{pose: string, ok: boolean, message: string}} Report */

const form = /** @type {HTMLFormElement} */ (/** @type {unknown} */ (byId("enroll")));
const consent = /** @type {HTMLInputElement | null} */ (document.getElementById("consent"));
const tiles = [...byId("tiles").querySelectorAll(".tile")].map(
  (tile) => /** @type {HTMLElement} */ (tile),
);

/**
 * @param {HTMLElement} tile
 * @returns {HTMLInputElement}
 */
function inputOf(tile) {
  return /** @type {HTMLInputElement} */ (tile.querySelector("input[type=file]"));
}

/**
 * @param {HTMLElement} tile
 * @param {"empty" | "checking" | "good" | "bad"} state
 * @param {string} words
 */
function show(tile, state, words) {
  tile.dataset.state = state;
  const report = tile.querySelector(".tile-report");
  if (report) report.textContent = words;
  const good = tiles.filter((one) => one.dataset.state === "good").length;
  byId("enroll-message").textContent = say("sentences", "count", { good });
}

/** Without consent no photo is looked at, so none can be chosen. */
function showConsent() {
  const isAllowed = !consent || consent.checked;
  byId("consent-first").hidden = isAllowed;
  for (const tile of tiles) inputOf(tile).disabled = !isAllowed;
}

/**
 * @param {HTMLElement} tile
 * @param {File} file
 */
function showPhoto(tile, file) {
  const photo = /** @type {HTMLImageElement} */ (tile.querySelector(".tile-photo"));
  URL.revokeObjectURL(photo.src);
  photo.hidden = true;
  photo.onload = () => (photo.hidden = false);
  photo.src = URL.createObjectURL(file);
}

/** @param {HTMLElement} tile */
async function check(tile) {
  const file = inputOf(tile).files?.[0];
  if (!file) return;
  const limit = Number(form.dataset.maxMb);
  const size = Math.ceil(file.size / 1e6);
  if (size > limit) {
    show(tile, "bad", say("sentences", "too_large", { size, limit }));
    return;
  }
  showPhoto(tile, file);
  show(tile, "checking", say("sentences", "checking"));
  const body = new FormData();
  body.set("photo", file);
  body.set("consent", consent?.value ?? "");
  const address = (form.dataset.check ?? "").replace("POSE", tile.dataset.pose ?? "");
  try {
    const report = await send(address, { body });
    if (inputOf(tile).files?.[0] === file) showReport(tile, report);
  } catch (error) {
    show(tile, "bad", error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {HTMLElement} tile
 * @param {Report} report
 */
function showReport(tile, report) {
  show(tile, report.ok ? "good" : "bad", report.ok ? say("sentences", "good") : report.message);
}

/** @returns {string} what is missing, empty if nothing */
function firstProblem() {
  if (consent && !consent.checked) {
    consent.focus();
    return say("sentences", "consent");
  }
  const missing = tiles.filter((tile) => !inputOf(tile).files?.length);
  for (const tile of missing) show(tile, "bad", say("sentences", "missing"));
  if (missing.length === 0) return "";
  inputOf(missing[0]).focus();
  return say("sentences", "missing_all", { missing: missing.length });
}

/** Sends all five; stored only if every one is good. */
async function enroll() {
  const result = await send(form.dataset.enroll ?? "", { body: new FormData(form) });
  for (const report of result.reports) {
    const tile = tiles.find((one) => one.dataset.pose === report.pose);
    if (tile) showReport(tile, report);
  }
  if (!result.ok) throw new Error(result.message);
  form.hidden = true;
  const given = document.getElementById("consent-given");
  if (given) given.hidden = true;
  byId("done").hidden = false;
  byId("done").focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (/** @type {unknown} */ (byId("enroll-button")));
  const problem = firstProblem();
  byId("enroll-message").textContent = problem || say("sentences", "saving");
  if (problem) return;
  button.disabled = true;
  try {
    await enroll();
  } catch (error) {
    byId("enroll-message").textContent = error instanceof Error ? error.message : String(error);
  } finally {
    button.disabled = false;
  }
});

consent?.addEventListener("change", showConsent);
for (const tile of tiles) inputOf(tile).addEventListener("change", () => check(tile));
showConsent();
form.dataset.ready = "yes";
