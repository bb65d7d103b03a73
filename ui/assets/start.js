// Loads the compiled dashboard; where that is impossible the page says so instead of staying empty.
import init from "compiled/ui.js";
import module_or_path from "optimised/ui.wasm";

init({ module_or_path }).catch((cause) => {
  console.error(cause);
  document.getElementById("load-failed").hidden = false;
});
