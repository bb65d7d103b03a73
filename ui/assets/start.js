// Loads the compiled dashboard, and shows an error on the page if that fails.
import init from "compiled/ui.js";
import module_or_path from "optimised/ui.wasm";

const showFailure = (cause) => {
  console.error(cause);
  document.getElementById("load-failed").hidden = false;
};

// A panic of the program shows only as a runtime error of the module.
addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError) showFailure(error);
});

if (typeof WebAssembly === "object") init({ module_or_path }).then(installServiceWorker, showFailure);
else showFailure("WebAssembly is not available");

/** Installs the service worker, and tells the program when a newer version has taken over. */
async function installServiceWorker() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const isUpdate = Boolean(serviceWorker.controller);
  serviceWorker.addEventListener("controllerchange", () => {
    if (isUpdate) dispatchEvent(new Event("pulsecheck:updated"));
  });
  // The program follows the browser's history.
  serviceWorker.addEventListener("message", ({ data }) => {
    if (typeof data?.open !== "string") return;
    history.pushState(null, "", data.open);
    dispatchEvent(new Event("popstate"));
  });
  // Without it everything works except for offline use and notifications on phones.
  await serviceWorker.register("/sw.js").catch(console.warn);
}
