// A crosshair for charts, by pointer and by keyboard. Its numbers are those of the table below the chart.
function enhance(figure) {
  if (figure.querySelector("input")) return;
  const bars = "bars" in figure.dataset; // their table is that of another chart
  const section = bars ? document.getElementById(figure.dataset.bars) : figure.parentElement;
  const rows = [...(section?.querySelectorAll("[data-twin] tbody tr") ?? [])];
  if (rows.length < 2) return;
  const plot = figure.querySelector(".plot");
  const cross = figure.querySelector(".cross");
  const readout = figure.querySelector("[data-readout]");
  const step = rows[0].closest("table").dataset.step ?? "day";
  const days = Object.assign(document.createElement("input"), { type: "range", min: 0, max: rows.length - 1, value: rows.length - 1 });
  days.setAttribute("aria-label", `${step === "day" ? "Day" : "Week"} of the ${bars ? "growth" : "chart"}`);
  plot.append(days);

  const isGap = (row) => row.cells[5].textContent.trim() === "no snapshot";

  // What a row has grown by is since the last one on which somebody looked.
  function time(row) {
    let passed = 1;
    for (let one = row.previousElementSibling; one && isGap(one); one = one.previousElementSibling) passed += 1;
    return passed > 1 ? `in ${passed} ${step}s` : `that ${step}`;
  }

  function words(row) {
    const [day, value, growth, joined, left, note] = [...row.cells].map((cell) => cell.textContent.trim());
    const gap = isGap(row);
    const grew = growth !== "–" && !(gap && growth === "0"); // nobody looked on that day
    const said = bars && grew ? [] : [gap ? note : value];
    if (grew) said.push(`${growth} ${day === "now" ? "since the last day" : time(row)}`);
    for (const [moved, verb] of [[joined, "joined"], [left, "left"]]) if (moved !== "0" && moved !== "–") said.push(`${moved} ${verb}`);
    if (note && !gap) said.push(note);
    return `${day}: ${said.join(", ")}`;
  }

  function look() {
    const row = rows[days.value];
    // A bar stands in the middle of its day, a point of a line at its end.
    const at = `${bars ? (100 * (Number(days.value) + 0.5)) / rows.length : (100 * days.value) / (rows.length - 1)}%`;
    const [line, dot] = cross.children;
    for (const name of ["x1", "x2"]) line.setAttribute(name, at);
    dot?.setAttribute("cx", at);
    dot?.setAttribute("cy", 16 + Number(row.dataset.y ?? 0));
    dot?.setAttribute("visibility", "y" in row.dataset ? "visible" : "hidden");
    cross.removeAttribute("hidden");
    readout.textContent = words(row);
    days.setAttribute("aria-valuetext", words(row));
  }

  function away() {
    if (document.activeElement === days) return;
    cross.setAttribute("hidden", "");
    readout.textContent = words(rows.at(-1));
  }

  days.setAttribute("aria-valuetext", words(rows.at(-1)));
  readout.textContent = words(rows.at(-1));
  let pressed = null; // where a pointer is on the chart: the browser's own reckoning is off by a day here and there

  function read({ clientX }) {
    const box = plot.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    days.value = bars ? Math.floor(part * rows.length) : Math.round(part * (rows.length - 1));
    look();
  }

  days.addEventListener("input", () => (pressed ? read(pressed) : look()));
  days.addEventListener("pointerdown", (event) => {
    pressed = event;
    days.focus({ preventScroll: true }); // what a finger has read stays until it touches something else
  });
  for (const over of ["pointerup", "pointercancel"]) days.addEventListener(over, () => { pressed = null; });
  days.addEventListener("focus", look);
  days.addEventListener("blur", away);
  days.addEventListener("pointerleave", away);
  days.addEventListener("pointermove", (event) => {
    if (pressed) pressed = event;
    read(event);
  });
}

function all() {
  document.querySelectorAll("[data-chart]").forEach(enhance);
}

all();
document.addEventListener("page:changed", all);
