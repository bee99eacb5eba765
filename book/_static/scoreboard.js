// Filters of the scoreboard: paper, verdict, edition. Without this script every row is shown.
(() => {
  const form = document.getElementById("scoreboard-filters");
  if (!form) return;
  const fields = ["paper", "verdict", "edition"];
  const chosen = (field) => document.getElementById(`scoreboard-${field}`).value;
  const count = document.getElementById("scoreboard-count");

  const apply = () => {
    const want = Object.fromEntries(fields.map((field) => [field, chosen(field)]));
    const seen = new Set();
    const all = new Set();
    const unrecorded = new Set(); // claims that no run has met yet, hidden by a choice of edition
    let rows = 0;
    for (const section of document.querySelectorAll("section[data-paper]")) {
      let any = false;
      for (const row of section.querySelectorAll("tbody tr")) {
        const wanted =
          (!want.paper || section.dataset.paper === want.paper) &&
          (!want.verdict || row.dataset.verdict === want.verdict);
        const keep = wanted && (!want.edition || row.dataset.edition === want.edition);
        row.hidden = !keep;
        all.add(row.dataset.claim);
        if (wanted && !keep && row.dataset.edition === "unrecorded") unrecorded.add(row.dataset.claim);
        if (!keep) continue;
        any = true;
        rows += 1;
        seen.add(row.dataset.claim);
      }
      section.hidden = !any;
    }
    const shown = `Showing ${seen.size} of ${all.size} claims, ${rows} ${rows === 1 ? "row" : "rows"}.`;
    const more = `${unrecorded.size} more have no record in any edition: choose "no record yet".`;
    count.textContent = unrecorded.size ? `${shown} ${more}` : shown;
  };

  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
