// axe's rule for contrast, run on one element of each kind: whatever is written in the same colour,
// size and weight over the same grounds has the same contrast, and a chapter repeats about thirty
// kinds in some twenty thousand elements.
() => {
  const grounds = new Map();
  // the backgrounds and opacities that an element stands on, up to the page's own
  const ground = (element) => {
    if (!element) return "";
    if (!grounds.has(element)) {
      const style = getComputedStyle(element);
      const own = [style.backgroundImage, style.backgroundColor, style.opacity].join(" ");
      const clear = own === "none rgba(0, 0, 0, 0) 1";
      grounds.set(element, ground(element.parentElement) + (clear ? "" : `/${own}`));
    }
    return grounds.get(element);
  };
  const kinds = new Map();
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const input = ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName);
    if (!(text || input) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = [style.color, style.fontSize, style.fontWeight, style.textShadow].join(" ");
    const kind = ink + ground(element);
    if (!kinds.has(kind)) kinds.set(kind, element);
  }
  const options = { runOnly: ["color-contrast"], resultTypes: ["violations"], iframes: false };
  return axe.run({ include: [...kinds.values()] }, options).then((found) => found.violations);
}
