"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const text = (row, column) => row.cells[column].textContent.trim();
  const order = new Intl.Collator("en", { numeric: true }).compare;
  for (const table of document.querySelectorAll("table.sortable")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      heading.tabIndex = 0;
      const sort = () => {
        const descending = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const rank = heading.dataset.sort === "rank";
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => rank ? a.cells[column].dataset.rank - b.cells[column].dataset.rank : order(text(a, column), text(b, column)));
        if (descending) rows.reverse();
        table.tBodies[0].append(...rows);
      };
      heading.addEventListener("click", sort);
      heading.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
    });
  }
  const findings = byId("findings");
  if (!findings) return;
  const rows = [...findings.tBodies[0].rows];
  const content = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const filter = () => {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set([...document.querySelectorAll("input[name=severity]:checked")].map((box) => box.value));
    const fixable = byId("fixable").checked;
    const exploited = byId("exploited").checked;
    let shown = 0;
    for (const row of rows) {
      const keep = severities.has(row.dataset.severity) && (!fixable || row.dataset.fixable === "1") &&
        (!exploited || row.dataset.exploited === "1") && wanted.every((word) => content.get(row).includes(word));
      row.hidden = !keep;
      shown += keep;
    }
    byId("shown").textContent = shown === rows.length ? rows.length : `${shown} of ${rows.length}`;
  };
  document.querySelector(".filters").addEventListener("input", filter);
  let opened = [];
  window.addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details.fold:not([open])")]; opened.forEach((fold) => { fold.open = true; }); });
  window.addEventListener("afterprint", () => opened.forEach((fold) => { fold.open = false; }));
})();
