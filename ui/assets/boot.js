// Runs before the first paint, so that a chosen theme replaces the system's without a flash.
try {
  const theme = localStorage.getItem("pulsecheck.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme applies.
}
