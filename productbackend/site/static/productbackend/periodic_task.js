// Shows a description of the selected crontab below its select box.
"use strict";

const crontabs = JSON.parse(document.getElementById("readable-crontabs").textContent);
const choice = document.getElementById("id_crontab");
const description = document.createElement("div");
description.className = "help";

function showDescription() {
  description.textContent = crontabs[choice.value] ?? "";
}

if (choice !== null) {
  choice.closest(".form-row").append(description);
  choice.addEventListener("change", showDescription);
  showDescription();
}
document.querySelector(".field-crontab_translation")?.remove();
