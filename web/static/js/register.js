// The closed register: a row opens the dialog that says why, and corrects it.

import { CorrectDialog } from "./correct.js";
import { byId } from "./pages.js";

const table = document.getElementById("register");

if (table) {
  /** @type {import("./entries.js").Row[]} */
  const rows = JSON.parse(byId("snapshot").textContent ?? "{}").rows;
  const dialog = new CorrectDialog(Number(table.dataset.session), table.dataset.timezone ?? "UTC");
  table.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const student = button?.dataset.why ?? button?.dataset.correct;
    const row = rows.find((one) => String(one.student_id) === student);
    if (row) dialog.open(row, button?.dataset.why !== undefined);
  });
}
