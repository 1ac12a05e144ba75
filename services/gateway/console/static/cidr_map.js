"use strict";
// Arrow keys on the map, and zooming without loading the whole page. Without this, links do it.

(() => {
  const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

  const move = (event) => {
    const map = event.target.closest?.("svg[data-map]");
    if (!map) return;
    const columns = Number(map.dataset.map);
    const tiles = [...map.querySelectorAll("a.tile")];
    const here = tiles.indexOf(document.activeElement);
    const step = STEPS[event.key] ?? { ArrowUp: -columns, ArrowDown: columns }[event.key];
    const there = { Home: 0, End: tiles.length - 1 }[event.key] ?? (step && here + step);
    if (there === undefined || !tiles[there]) return;
    event.preventDefault();
    tiles[here]?.setAttribute("tabindex", "-1");
    tiles[there].setAttribute("tabindex", "0");
    tiles[there].focus();
  };

  const show = async (url) => {
    const answer = await fetch(url, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.querySelector("[data-map-part]");
    if (!answer.ok || !part) return false;
    document.querySelector("[data-map-part]").replaceWith(document.adoptNode(part));
    const goTo = page.querySelector("#go-to");
    if (goTo) document.querySelector("#go-to").value = goTo.value;
    return true;
  };

  const zoom = async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest?.("[data-map-part] a");
    const url = link && (link.href.baseVal ?? link.href);
    if (!url || !new URL(url, location.href).pathname.endsWith("/cidr-map")) return;
    event.preventDefault();
    try {
      if (!(await show(url))) throw new TypeError("another page");
      history.pushState({}, "", url);
      document.querySelector("svg[data-map] a.tile")?.focus({ preventScroll: true });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      location.assign(url); // The page itself says what is wrong.
    }
  };

  if (!document.querySelector("[data-map-part]")) return;
  document.addEventListener("keydown", move);
  document.addEventListener("click", zoom);
  window.addEventListener("popstate", () => location.reload());
})();
