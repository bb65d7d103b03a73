// Runs before the first paint: a chosen theme wins over the system's, and nothing flashes.
try {
  const theme = localStorage.getItem("pulsecheck.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme holds.
}
