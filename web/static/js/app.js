// What every page has: the theme switch, the dialogs and the key that shows the keys.

const CHOICES = ["auto", "light", "dark"];

/** The next theme in the round: by the system, light, dark. */
function switchTheme() {
  const now = document.documentElement.dataset.choice ?? "auto";
  const next = CHOICES[(CHOICES.indexOf(now) + 1) % CHOICES.length];
  localStorage.setItem("theme", next);
  dispatchEvent(new Event("themechoice"));
  nameThemeButton();
}

function nameThemeButton() {
  const button = document.querySelector("[data-action=theme]");
  const choice = document.documentElement.dataset.choice ?? "auto";
  const words = button?.getAttribute(`data-${choice}`) ?? "";
  button?.setAttribute("aria-label", words);
  button?.setAttribute("title", words);
}

/**
 * Whether a key was meant as a shortcut and not as text.
 * @param {KeyboardEvent} event
 */
export function isShortcut(event) {
  const isTyping = event.target instanceof Element && event.target.closest("input, select, textarea");
  const isCombined = event.ctrlKey || event.metaKey || event.altKey;
  return !isTyping && !isCombined && !document.querySelector("dialog[open]");
}

/** @param {string} id */
function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-action=theme]")) switchTheme();
  const opener = target?.closest("[data-opens]");
  if (opener instanceof HTMLElement) openDialog(opener.dataset.opens ?? "");
  if (target?.closest("[data-closes]")) target.closest("dialog")?.close();
  if (target?.closest("[data-action=print]")) print();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || !isShortcut(event)) return;
  event.preventDefault();
  openDialog("keys");
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  if (form.method === "dialog") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

nameThemeButton();
