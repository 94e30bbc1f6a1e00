// The pictures on the pages of products and families: rows are dragged into their order, and too many files are refused before they are sent.
"use strict";

function setUpOrder(group) {
  const rows = () => [...group.querySelectorAll("tr.has_original")];
  if (rows().length < 2) return;

  function number() {
    rows().forEach((row, position) => {
      row.querySelector("input[name$='-position']").value = position;
    });
  }

  // The other rows are moved around this one: an element that is moved itself loses the pointer.
  function move(row, to) {
    const all = rows();
    const from = all.indexOf(row);
    if (to > from) all.slice(from + 1, to + 1).forEach((other) => row.before(other));
    else all.slice(to, from).reverse().forEach((other) => row.after(other));
  }

  function middle(row) {
    const box = row.getBoundingClientRect();
    return box.top + box.height / 2;
  }

  function handleOf(row) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = "drag-handle";
    handle.title = "Drag to change the order, or use the arrow keys";
    handle.setAttribute("aria-label", "Move this picture: drag it, or use the arrow keys");
    handle.textContent = "⇅";
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      row.classList.add("dragged");
    });
    handle.addEventListener("pointermove", (event) => {
      if (!row.classList.contains("dragged")) return;
      const all = rows();
      const from = all.indexOf(row);
      const above = all.findIndex((other, at) => at < from && event.clientY < middle(other));
      const to = above >= 0 ? above : all.findLastIndex((other, at) => at > from && event.clientY > middle(other));
      if (to >= 0) move(row, to);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      handle.addEventListener(end, () => {
        if (!row.classList.contains("dragged")) return;
        row.classList.remove("dragged");
        number();
      });
    }
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = rows();
      const to = all.indexOf(row) + step;
      if (to < 0 || to >= all.length) return;
      move(row, to);
      number();
    });
    return handle;
  }

  rows().forEach((row) => row.querySelector("td.field-preview").prepend(handleOf(row)));
}

function setUpLimits(input, inputs) {
  const bytesMax = Number(input.dataset.bytesMax);
  const filesMax = Number(input.dataset.filesMax);
  input.addEventListener("change", () => {
    const files = inputs.flatMap((each) => [...each.files]);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    let refusal = "";
    if (files.length > filesMax) refusal = `Choose ${filesMax} files at most, and add the others afterwards.`;
    else if (bytes > bytesMax) refusal = `The files have more than ${Math.floor(bytesMax / 1e6)} MB together: add fewer at once.`;
    for (const each of inputs) each.setCustomValidity(each === input ? refusal : "");
    if (refusal) input.reportValidity();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  const group = document.getElementById("images-group");
  const inputs = [...document.querySelectorAll("input[data-bytes-max]")];
  if (group) setUpOrder(group);
  for (const input of inputs) setUpLimits(input, inputs);
});
