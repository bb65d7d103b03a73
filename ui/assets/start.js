// Loads the compiled dashboard; where that is impossible the page says so instead of staying empty.
import init from "compiled/ui.js";
import module_or_path from "optimised/ui.wasm";

const failed = (cause) => {
  console.error(cause);
  document.getElementById("load-failed").hidden = false;
};

// A program that stops says why in no other way.
addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError) failed(error);
});

if (typeof WebAssembly === "object") init({ module_or_path }).then(serveOffline, failed);
else failed("WebAssembly is not available");

/** Installs what keeps the page for times without a connection; tells the program when a newer version took over. */
async function serveOffline() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const before = serviceWorker.controller;
  serviceWorker.addEventListener("controllerchange", () => {
    if (before) dispatchEvent(new Event("pulsecheck:newer"));
  });
  // Without it everything works but for the times without a connection.
  await serviceWorker.register("/sw.js").catch(console.warn);
}
