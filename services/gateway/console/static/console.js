"use strict";
// All pages work without this. It adds: the theme, copying, closing menus, and following what changes.

(() => {
  const FOLLOW_MILLISECONDS = 1500;
  const OPEN = CSS.supports("selector(:popover-open)") ? "details[open], :popover-open" : "details[open]";
  const root = document.documentElement;

  // The theme: as the system has it, unless somebody chose.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("cadastre-theme");
  const applyTheme = () => {
    root.dataset.bsTheme = chosen() || (dark.matches ? "dark" : "light");
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.textContent = root.dataset.bsTheme === "dark" ? "Light" : "Dark";
    }
  };
  dark.addEventListener("change", applyTheme);

  const prepare = (part) => {
    for (const button of part.querySelectorAll("[data-copy]")) {
      if (!navigator.clipboard) continue;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.closest(".snippet").querySelector("code").textContent);
        button.textContent = "Copied";
      });
    }
  };

  // What is wrong comes first to those who can't see it.
  const focusOnRefusal = () => document.querySelector("[data-focus]")?.focus();

  // Looks again while something is in progress, and leaves alone what somebody is using.
  const follow = () => {
    if (!document.querySelector("main[data-changing]")) return;
    setTimeout(async () => {
      const main = document.querySelector("main");
      const isUsed = main.contains(document.activeElement) && document.activeElement !== main;
      if (!isUsed && !main.querySelector(OPEN) && !document.hidden) {
        try {
          const answer = await fetch(location.href, { redirect: "error" });
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const fresh = page.querySelector("main");
          if (answer.ok && fresh) {
            main.replaceWith(document.adoptNode(fresh));
            prepare(fresh);
          }
        } catch (error) {
          if (!(error instanceof TypeError)) throw error; // The network is away: try again.
        }
      }
      follow();
    }, FOLLOW_MILLISECONDS);
  };

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  applyTheme();
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      localStorage.setItem("cadastre-theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
      applyTheme();
    });
  }
  prepare(document);
  focusOnRefusal();
  follow();
})();
