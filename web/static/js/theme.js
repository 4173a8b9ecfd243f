// Runs before the first paint: light or dark by the system, or as last chosen on this machine.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    const choice = localStorage.getItem("theme") ?? "auto";
    const isDark = choice === "dark" || (choice === "auto" && system.matches);
    root.dataset.choice = choice;
    root.dataset.bsTheme = isDark ? "dark" : "light";
  }

  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechoice", apply);
  apply();
})();
