// Times in words that stay true, with the viewer's own zone beside UTC on hover.
const UNITS = [[31536000, "year"], [2592000, "month"], [86400, "d"], [3600, "h"], [60, "min"]];

const SPELLED = { d: "day", h: "hour", min: "minute" };

function words(seconds, spelled) {
  for (const [size, name] of UNITS) {
    if (seconds >= size) {
      const count = Math.floor(seconds / size);
      const unit = (spelled && SPELLED[name]) || name;
      return `${count} ${unit}${count > 1 && (unit !== name || name.length > 3) ? "s" : ""}`;
    }
  }
  return null;
}

function say(element) {
  const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
  const spelled = "spelled" in element.dataset;
  const ahead = spelled || "ahead" in element.dataset;
  const length = words(ahead ? -seconds : seconds, spelled);
  const said = ahead ? (length ? `in ${length}` : seconds < 0 ? "in less than a minute" : "due now") : length ? `${length} ago` : "just now";
  if (element.textContent !== said) element.textContent = said;
  if (!element.dataset.utc) {
    element.dataset.utc = element.title;
    const here = new Date(element.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    element.title = `${here} here, ${element.title}`;
  }
}

function all() {
  document.querySelectorAll("time[data-ago], time[data-ahead], time[data-spelled]").forEach(say);
}

all();
setInterval(all, 15000);
document.addEventListener("page:changed", all);
