// Live parts: a page is asked for again and its changed regions take the place of the old ones. Nothing is reloaded.
const LOOK_MS = 30000;
const POLL_MS = 1500;
const REST_MS = 5000; // after a look that failed; twice as long after each that follows
const LONGEST_REST_MS = 60000;
const AWAY = "The service cannot be reached. The numbers are as they were last read.";
const offline = document.getElementById("offline");
const admin = document.getElementById("main").dataset.role === "admin";
let asked = 0;
let followed = null;
let saved = Promise.resolve();

function tell(words) {
  offline.textContent = words;
  offline.hidden = !words;
}

function say(words) {
  document.getElementById("said").textContent = (words ?? "").replace(/\s+/g, " ").trim();
}

async function ask(url, options) {
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html, application/json" }, ...options });
    tell("");
    if (answer.redirected && new URL(answer.url).pathname === "/sign-in") location.assign(answer.url);
    return answer;
  } catch {
    tell(AWAY);
    return null;
  }
}

function placeOf(element) {
  const region = element?.closest("[data-live]");
  if (!region) return null;
  const same = (one) => one.tabIndex === element.tabIndex && one.getAttribute("href") === element.getAttribute("href") && one.name === element.name;
  const all = (one) => [...(one?.querySelectorAll(element.tagName) ?? [])].filter(same);
  return { id: region.id, all, at: all(region).indexOf(element), day: element.type === "range" ? element.value : null };
}

// The focus where it was, and the chart at the day that somebody is at.
function takeBack(place) {
  if (!place || document.activeElement?.closest?.("[data-live]")) return;
  const element = place.all(document.getElementById(place.id))[Math.max(0, place.at)];
  element?.focus({ preventScroll: true });
  if (!element || place.day === null) return;
  element.value = place.day;
  element.dispatchEvent(new Event("input"));
}

// Whether somebody has typed into a form that is not sent yet.
function isTypedIn(region) {
  return [...region.querySelectorAll(".stack input")].some((one) => one.value !== one.defaultValue || one.checked !== one.defaultChecked);
}

// What is typed or chosen in the fields of a region and not sent yet: [id, value] of each.
function unsent(region) {
  const isChosen = (one) => one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected));
  const fields = [...region.querySelectorAll("input[id]:not([type=range]), select[id]")];
  return fields.filter((one) => (one.options ? isChosen(one) : one.value !== one.defaultValue)).map((one) => [one.id, one.value]);
}

function put(fresh, all) {
  const place = placeOf(document.activeElement);
  const busy = all ? null : document.activeElement?.closest?.("[data-filter], [data-auto-sync]");
  document.title = fresh.title;
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || old.contains(busy) || isTypedIn(old) || old.outerHTML === now.outerHTML) continue;
    const open = old.querySelector("details")?.open;
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    const typed = all ? [] : unsent(old);
    old.replaceWith(document.importNode(now, true));
    const put = document.getElementById(old.id);
    for (const [id, value] of typed) if (document.getElementById(id)) document.getElementById(id).value = value;
    if (open && put.querySelector("details")) put.querySelector("details").open = true;
    put.querySelectorAll(".scroll").forEach((one, n) => { one.scrollLeft = scrolled[n] ?? 0; });
  }
  document.dispatchEvent(new CustomEvent("page:changed"));
  takeBack(place);
  follow();
}

async function show(url, all) {
  const mine = ++asked;
  const answer = await ask(url);
  if (!answer || mine !== asked) return false;
  if (answer.status >= 500) {
    tell("The service cannot read its numbers just now. These are as they were last read.");
    return false;
  }
  put(new DOMParser().parseFromString(await answer.text(), "text/html"), all);
  return true;
}

function draw(place, told) {
  const bar = place.querySelector("progress");
  const words = place.querySelector(".run-words");
  if (!bar || !words) return;
  bar.value = told.percent;
  const phase = told.phase ?? told.state;
  words.textContent = `${phase[0].toUpperCase()}${phase.slice(1)}${told.total ? ` · ${told.done} of ${told.total}` : ""}`;
}

async function poll(id) {
  for (;;) {
    await new Promise((on) => setTimeout(on, POLL_MS));
    const answer = await ask(admin ? `/api/admin/runs/${id}` : location.href);
    if (!answer) continue;
    if (!admin) {
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (!document.querySelector(`[data-run="${CSS.escape(id)}"]`)) return;
      continue;
    }
    if (!answer.ok) return;
    const run = await answer.json();
    if (run.finished_at) return;
    document.querySelectorAll(`[data-run="${CSS.escape(id)}"]`).forEach((place) => draw(place, { ...run, percent: Math.min(99, Math.floor((100 * run.done) / Math.max(run.total, 1))) }));
  }
}

function stream(id) {
  return new Promise((over) => {
    const source = new EventSource(`/api/admin/runs/${id}/events`);
    const seen = (event) => document.querySelectorAll(`[data-run="${CSS.escape(id)}"]`).forEach((place) => draw(place, JSON.parse(event.data)));
    source.addEventListener("progress", seen);
    source.addEventListener("end", (event) => { seen(event); source.close(); over(true); });
    // A closed stream does not come back by itself: too many are open, or the end was seen before.
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) over(false); });
    addEventListener("pagehide", () => source.close());
  });
}

async function follow() {
  const id = document.querySelector("[data-run]")?.dataset.run;
  if (!id || followed === id) return;
  followed = id;
  if (!(admin && (await stream(id)))) await poll(id);
  // Still followed while the page is asked for: a beat of the pulse would ask again, and nobody would say what came of it.
  const shown = await show(location.href);
  if (followed === id) followed = null;
  if (shown) say(document.querySelector("[data-outcome]")?.textContent);
  follow();
}

async function start(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await ask(`/api/admin/smart_sync${new URL(form.action).search}`, { method: "POST" });
  const told = await answer?.json().catch(() => null);
  if (!told?.run_id) {
    button.disabled = false;
    if (answer) tell(told?.detail ?? "The sync could not be started.");
    return;
  }
  const place = form.closest("[data-sync-place]");
  if (!place.querySelector("[data-run]")) {
    const run = document.createElement("div");
    run.className = "run";
    const words = Object.assign(document.createElement("span"), { className: "run-words", textContent: "Starting" });
    words.setAttribute("role", "status");
    const bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
    bar.setAttribute("aria-label", "Progress of the sync");
    run.append(words, bar);
    place.prepend(run);
  }
  place.querySelector(".run").dataset.run = told.run_id;
  follow();
}

async function save(form, change) {
  const url = form.dataset.autoSync;
  const answer = await ask(url, { method: "PUT", body: JSON.stringify(change), headers: { "Content-Type": "application/json" } });
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok) form.reset();
  if (answer) await show(location.href, true);
  if (answer && !answer.ok) tell(told?.detail ?? "That could not be saved.");
  if (answer?.ok) say(`Saved. ${document.querySelector("#schedule .next").textContent}.`);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-sync]")) {
    event.preventDefault();
    start(form);
  } else if (form.matches("[data-filter]")) {
    event.preventDefault();
    const asked = [...new FormData(form)].filter(([, value]) => value);
    go(`${location.pathname}?${new URLSearchParams(asked)}`);
  } else if (form.matches("[data-auto-sync]")) {
    event.preventDefault(); // each change has been saved
  }
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-filter] select")) field.form.requestSubmit();
  if (!field.matches("[data-auto-sync] *")) return;
  const change = field.name === "enabled" ? { enabled: field.checked } : { interval_minutes: Number(field.value) || null };
  saved = saved.then(() => save(field.form, change)); // one after the other, so that the last choice stays
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  const copied = button ? document.getElementById(button.dataset.copies) : event.target.closest?.("[data-copy]");
  if (!copied) return;
  const words = button ? "That is copied." : `${copied.textContent} is copied.`;
  await navigator.clipboard?.writeText(copied.textContent).then(() => say(words), () => {});
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-soft]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.href.split("#")[0]);
});

async function go(url) {
  if (await show(url, true)) history.pushState(null, "", url);
}

addEventListener("popstate", () => show(location.href));
addEventListener("offline", () => tell("You are offline. The numbers are as they were last read."));
addEventListener("online", () => show(location.href));
// What somebody else started or changed shows here too: a few bytes are asked for, and the page only when they differ.
async function feel() {
  let last = null;
  let rest = REST_MS;
  let away = false;
  for (;;) {
    const look = !document.hidden && !followed && document.querySelector("[data-live]");
    const answer = look ? await fetch("/pulse", { redirect: "manual" }).catch(() => null) : null;
    if (look && !answer) tell(AWAY);
    if (answer?.type === "opaqueredirect") await show(location.href); // the session is over, which the page says
    if (answer?.ok) {
      const { at } = await answer.json();
      if (last !== null && (away || at !== last)) await show(location.href);
      last = at;
    }
    if (look) away = !answer;
    const failed = look && !answer?.ok;
    await new Promise((on) => setTimeout(on, failed ? rest : POLL_MS));
    rest = failed ? Math.min(2 * rest, LONGEST_REST_MS) : REST_MS;
  }
}

setInterval(() => { if (!document.hidden && !followed && document.querySelector("[data-live]")) show(location.href); }, LOOK_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden && !followed && document.querySelector("[data-live]")) show(location.href); });
follow();
feel();
