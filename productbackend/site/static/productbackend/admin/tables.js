// Gives each cell of a table the name of its column: in a narrow window lists.css shows a row as a card. And gives
// fields of forms a name for screen readers, where Django shows it as the head of a column only.
"use strict";

// Whose cells are a few short numbers, or have their own form for narrow windows.
const KEPT = ".home table, .dashboard .module table, .waiting table, .calendar, .lines-to-refund table";
const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TFOOT: "rowgroup", TR: "row", TD: "cell" };
const FIELDS = "input:not([type=hidden]), select, textarea";

const textOf = (element) => element?.textContent.trim().replace(/:$/, "") ?? "";

function makeCards(table) {
  // The browser removes the roles of tables from elements that are shown as blocks.
  table.setAttribute("role", ROLES.TABLE);
  for (const part of table.querySelectorAll("thead, tbody, tfoot, tr, td")) {
    part.setAttribute("role", ROLES[part.tagName]);
  }
  for (const head of table.querySelectorAll("th")) {
    head.setAttribute("role", head.closest("thead") ? "columnheader" : "rowheader");
  }
  const names = [...table.tHead.rows[0].cells].map((cell) => textOf(cell.querySelector(".text") ?? cell));
  for (const row of table.querySelectorAll("tbody > tr")) {
    if (row.cells.length !== names.length) continue; // a message over the whole width
    [...row.cells].forEach((cell, column) => {
      if (names[column]) cell.dataset.column = names[column];
    });
  }
  table.classList.add("cards");
}

function nameOf(field) {
  const row = field.closest(".form-row");
  return field.closest("td")?.dataset.column || textOf(row?.querySelector("label, legend"));
}

function nameFields(part) {
  for (const field of part.querySelectorAll(FIELDS)) {
    if (field.labels?.length || field.ariaLabel || !nameOf(field)) continue;
    const kind = { vDateField: " date", vTimeField: " time" }[field.classList[0]] ?? "";
    field.ariaLabel = nameOf(field) + kind;
  }
  for (const chosen of part.querySelectorAll(".select2-selection__rendered")) {
    chosen.ariaLabel = nameOf(chosen);
  }
  for (const icon of part.querySelectorAll(".search-label-icon")) {
    icon.role = "img"; // of the boxes of permissions: Django gives it a name, which only a role may have
  }
}

for (const table of document.querySelectorAll("#content table")) {
  if (table.tHead?.rows.length && !table.matches(KEPT)) makeCards(table);
}
// After Django's scripts, which jQuery calls by a timer: on a short page that is after this event.
window.addEventListener("load", () => setTimeout(() => nameFields(document)));
document.addEventListener("formset:added", (event) => nameFields(event.target));
