// The status page: everybody sees whether the API is up; an administrator who signs in sees what is behind it. The
// token stays in this page and is gone with it.
const base = document.body.dataset.base;
const state = document.getElementById("state");
const parts = document.getElementById("parts");
const table = document.getElementById("details");
const form = document.getElementById("sign-in");
const note = document.getElementById("note");
let token = null;

function row(name, status, waiting, flight) {
  const tr = document.createElement("tr");
  for (const [index, value] of [name, status, waiting, flight].entries()) {
    const td = document.createElement("td");
    td.textContent = value;
    if (index === 1) td.className = value.startsWith("ok") ? "ok" : "bad";
    if (index > 1) td.className = "number";
    tr.append(td);
  }
  return tr;
}

function showState(up) {
  state.textContent = up ? "ok" : "not available";
  state.className = up ? "ok" : "bad";
}

async function readState() {
  try {
    const answer = await fetch(base + "health");
    showState(answer.ok);
  } catch {
    showState(false);
  }
}

async function readDetails() {
  const answer = await fetch(base + "api/health", { headers: { Authorization: "Bearer " + token } });
  const found = await answer.json();
  if (!found.database) {
    token = null;
    throw new Error(found.detail);
  }
  const { status, migration_revision: revision } = found.database;
  const rows = [row("Database", status + (revision ? ", revision " + revision : ""), "", "")];
  for (const [name, queue] of Object.entries(found.queues))
    rows.push(row("Queue " + name.replaceAll("_", " "), queue.status, queue.waiting ?? "", queue.in_flight ?? ""));
  parts.replaceChildren(...rows);
  note.textContent = "Read at " + new Date().toLocaleTimeString() + ".";
}

async function read() {
  await readState();
  if (token !== null) {
    try {
      await readDetails();
    } catch (error) {
      note.textContent = error.message;
    }
  }
  table.hidden = token === null;
  form.hidden = token !== null;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(base + "api/auth/login", { method: "POST", headers, body });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.detail);
    token = found.access_token;
    form.reset();
    await read();
  } catch (error) {
    note.textContent = error.message;
  }
});

read();
setInterval(read, 5000);
