// Sets the theme before the first paint: the choice of this browser, the profile's, the system's.
const page = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function showTheme() {
  const wanted = localStorage.getItem("theme") || page.dataset.theme;
  page.dataset.bsTheme = wanted === "light" || wanted === "dark" ? wanted : dark.matches ? "dark" : "light";
}

showTheme();
dark.addEventListener("change", showTheme);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  localStorage.setItem("theme", page.dataset.bsTheme === "dark" ? "light" : "dark");
  showTheme();
});
