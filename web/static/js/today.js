// The start page: figures of the chosen course, fields of the chosen kind of camera.

const course = /** @type {HTMLSelectElement | null} */ (document.getElementById("course"));
const newSource = /** @type {HTMLElement | null} */ (document.getElementById("new-source"));

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

function showCourse() {
  const option = course?.selectedOptions[0];
  if (!option) return;
  const roster = Number(option.dataset.roster);
  const enrolled = Number(option.dataset.enrolled);
  byId("figure-roster").textContent = String(roster);
  byId("figure-enrolled").textContent = String(enrolled);
  byId("nobody-on-roster").hidden = roster > 0;
  byId("nobody-enrolled").hidden = roster === 0 || enrolled > 0;
  for (const part of document.querySelectorAll(".in-force")) {
    /** @type {HTMLElement} */ (part).hidden = part.getAttribute("data-course") !== option.value;
  }
  byId("roster-link").setAttribute("href", option.dataset.rosterPage ?? "");
}

function showSource() {
  const camera = document.querySelector("input[name=camera]:checked");
  if (newSource) newSource.hidden = camera?.getAttribute("value") !== "new";
  const kind = document.querySelector("input[name=kind]:checked")?.getAttribute("value");
  for (const part of document.querySelectorAll("[data-kind]")) {
    /** @type {HTMLElement} */ (part).hidden = part.getAttribute("data-kind") !== kind;
  }
}

course?.addEventListener("change", showCourse);
document.getElementById("start")?.addEventListener("change", showSource);
if (course) showCourse();
if (newSource) showSource();
