// The closed register: a row opens the dialog that corrects it.

import { CorrectDialog } from "./correct.js";
import { byId } from "./pages.js";

const table = document.getElementById("register");

if (table) {
  /** @type {import("./entries.js").Row[]} */
  const rows = JSON.parse(byId("snapshot").textContent ?? "{}").rows;
  const dialog = new CorrectDialog(Number(table.dataset.session), table.dataset.timezone ?? "UTC");
  table.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-correct]") : null;
    const row = rows.find((one) => String(one.student_id) === button?.getAttribute("data-correct"));
    if (row) dialog.open(row);
  });
}
