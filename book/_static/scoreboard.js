// The scoreboard: search, filters, sorting; the address keeps what was chosen.
// Without this script every row is there, some of them folded.
(() => {
  const form = document.getElementById("scoreboard-filters");
  if (!form) return;
  const fields = ["q", "paper", "status", "verdict", "checked", "sort"];
  const input = (field) => document.getElementById(`scoreboard-${field}`);
  const count = document.getElementById("scoreboard-count");
  const parts = [...document.querySelectorAll(".scoreboard-part")];
  const folds = parts.flatMap((part) => [...part.querySelectorAll("details:not(.rule)")]);
  const opened = new Map(folds.map((fold) => [fold, fold.open]));
  const bodies = parts.flatMap((part) => [...part.querySelectorAll("tbody")]);
  const order = new Map(bodies.map((body) => [body, [...body.rows]]));
  const rows = bodies.flatMap((body) => [...body.rows]);
  const text = new Map(
    rows.map((row) => [row, `${row.id} ${row.textContent} ${row.closest("table").textContent.slice(0, 120)}`.toLowerCase()]),
  );

  const chosen = () => Object.fromEntries(fields.map((field) => [field, input(field).value.trim()]));

  const keeps = (row, want) => {
    const words = want.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (want.paper && row.closest("section").dataset.paper !== want.paper) return false;
    if (!words.every((word) => text.get(row).includes(word))) return false;
    if (row.dataset.conclusion) {
      if (want.status) return row.dataset.status === want.status;
      return !want.verdict && !want.checked;
    }
    if (want.status) return false;
    const verdicts = [row.dataset.verdict, row.dataset.arithmetic];
    const byArithmetic = want.checked === "arithmetic";
    if (want.checked && !row.dataset.checked.split(" ").includes(want.checked)) return false;
    return !want.verdict || verdicts[byArithmetic ? 1 : 0] === want.verdict;
  };

  const number = (row, sort) => {
    const { reported, free } = row.dataset;
    if (sort === "reported") return reported === "" ? -Infinity : Number(reported);
    if (free === "") return -Infinity;
    if (sort === "free") return Number(free);
    return reported === "" ? -Infinity : Number(reported) - Number(free);
  };

  const sorted = (sort) => {
    for (const [body, own] of order) {
      const claims = own.every((row) => row.dataset.claim && "free" in row.dataset);
      const better = (a, b) => (number(b, sort) > number(a, sort) ? 1 : -1);
      body.append(...(sort && claims ? [...own].sort(better) : own));
    }
  };

  const apply = () => {
    const want = chosen();
    const narrowed = Boolean(want.q || want.paper || want.status || want.verdict || want.checked);
    const shown = { conclusion: 0, claim: 0 };
    const all = { conclusion: 0, claim: 0 };
    for (const row of rows) {
      const kind = row.dataset.conclusion ? "conclusion" : "claim";
      row.hidden = !keeps(row, want);
      all[kind] += 1;
      if (!row.hidden) shown[kind] += 1;
    }
    for (const table of document.querySelectorAll(".scoreboard-part table")) {
      table.hidden = !table.querySelector("tbody tr:not([hidden])");
    }
    for (const fold of folds) {
      fold.hidden = !fold.querySelector("tbody tr:not([hidden])");
      fold.open = narrowed ? !fold.hidden : opened.get(fold);
    }
    for (const section of parts.flatMap((part) => [...part.querySelectorAll("section")])) {
      section.hidden = !section.querySelector("tbody tr:not([hidden])");
    }
    sorted(want.sort);
    count.textContent =
      `Showing ${shown.conclusion} of ${all.conclusion} conclusions ` +
      `and ${shown.claim} of ${all.claim} claims.`;
  };

  const remember = () => {
    const state = new URLSearchParams(Object.entries(chosen()).filter(([, value]) => value));
    const address = state.size ? `#${state}` : location.pathname + location.search;
    try {
      history.replaceState(null, "", address);
    } catch {
      // a page from a disk may refuse; then the address stays as it is
    }
  };

  // "#q=lapatinib&paper=wang2022" is a choice, "#wang2022-C020" a row
  const recall = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    const row = hash && !hash.includes("=") ? document.getElementById(hash) : null;
    if (!row) {
      const state = new URLSearchParams(location.hash.slice(1));
      for (const field of fields) input(field).value = state.get(field) ?? "";
      apply();
      return;
    }
    for (let fold = row.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
    row.scrollIntoView();
  };

  const bar = document.querySelector(".bd-header-article");
  const height = bar && getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
  document.documentElement.style.setProperty("--scoreboard-top", `${height}px`);
  form.addEventListener("input", () => {
    apply();
    remember();
  });
  form.addEventListener("reset", () => {
    setTimeout(() => {
      apply();
      remember();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("scoreboard-unfold").addEventListener("click", () => {
    for (const fold of folds) fold.open = true;
  });
  window.addEventListener("hashchange", recall);
  form.hidden = false;
  apply();
  recall();
})();
