// Says in words, below the choice of a crontab, when the one that is chosen comes due.
"use strict";

const crontabs = JSON.parse(document.getElementById("readable-crontabs").textContent);
const choice = document.getElementById("id_crontab");
const words = document.createElement("div");
words.className = "help";

function say() {
  words.textContent = crontabs[choice.value] ?? "";
}

if (choice !== null) {
  choice.closest(".form-row").append(words);
  choice.addEventListener("change", say);
  say();
}
document.querySelector(".field-crontab_translation")?.remove();
