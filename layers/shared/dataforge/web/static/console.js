// Buttons that copy the text of an element; they are hidden until here, because without scripts they do nothing.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// The tree of a vault: arrows walk along what is visible, open and close folders; which are open is kept for the visit.
for (const tree of document.querySelectorAll("[data-tree]")) {
  const key = `tree ${tree.dataset.tree}`;
  const folders = [...tree.querySelectorAll("details")];
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (kept) for (const folder of folders) folder.open = kept.includes(folder.dataset.folder);
  const keep = () => sessionStorage.setItem(key, JSON.stringify(folders.filter((f) => f.open).map((f) => f.dataset.folder)));
  for (const folder of folders) folder.addEventListener("toggle", keep);
  tree.addEventListener("keydown", (event) => {
    const rows = [...tree.querySelectorAll("summary, a")].filter((row) => row.checkVisibility());
    const place = rows.indexOf(document.activeElement);
    if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const folder = rows[place].matches("summary") ? rows[place].parentElement : null;
    const above = (folder ?? rows[place]).parentElement.closest("details");
    let next = null;
    if (event.key === "ArrowDown") next = rows[place + 1];
    else if (event.key === "ArrowUp") next = rows[place - 1];
    else if (event.key === "Home") next = rows[0];
    else if (event.key === "End") next = rows.at(-1);
    else if (event.key === "ArrowRight" && folder) folder.open ? (next = rows[place + 1]) : (folder.open = true);
    else if (event.key === "ArrowLeft" && folder?.open) folder.open = false;
    else if (event.key === "ArrowLeft" && above) next = above.querySelector("summary");
    else return;
    event.preventDefault();
    next?.focus();
  });
}

// What is written is not left without a question.
function guard(form, isUnsaved) {
  let sending = false;
  form.addEventListener("submit", () => (sending = true));
  window.addEventListener("beforeunload", (event) => {
    if (!sending && isUnsaved()) event.preventDefault();
  });
}

for (const form of document.querySelectorAll("[data-guarded]")) {
  guard(form, () => true);
  for (const button of form.querySelectorAll("[data-take]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      form.elements.body_md.value = document.getElementById(button.dataset.take).textContent;
      form.elements.body_md.focus();
    });
  }
}

// The editor of a note saves while somebody writes. Only one save is under way at a time; a text that was overtaken by
// another one is saved no further until its writer has seen both.
for (const form of document.querySelectorAll("[data-autosave]")) {
  const text = form.elements.body_md;
  const state = form.querySelector("[data-saved]");
  const compare = form.querySelector("[data-compare]");
  const PAUSE = 1500, LONGEST = 10000, AGAIN = 10000;
  let saved = form.dataset.autosave === "unsaved" ? null : text.defaultValue, overtaken = false, timer = 0, since = 0, running = null;

  const say = (words, kind = "") => {
    state.textContent = words;
    state.className = `state-of-text ${kind}`;
  };
  const later = (delay) => {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  };

  const send = async (body, again = true) => {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.headers.get("content-type")?.startsWith("application/json")) return [answer.status, await answer.json()];
    // Somebody who has signed in again meanwhile has another proof for forms: the page has it.
    const page = again ? new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html") : null;
    const proof = page?.querySelector("form[data-autosave] [name=csrf]")?.value;
    if (!proof) return [answer.status, { detail: "You are not signed in any more. Sign in in another window; the text stays here." }];
    form.elements.csrf.value = proof;
    body.set("csrf", proof);
    return send(body, false);
  };

  async function attempt() {
    const sent = text.value;
    const body = new URLSearchParams(new FormData(form));
    body.set("automatic", "yes");
    say("Saving…");
    since = 0;
    try {
      const [status, answer] = await send(body);
      if (status === 200) {
        form.elements.revision.value = answer.revision;
        saved = sent;
        if (text.value === sent) say("Saved", "good");
        else later(PAUSE);
      } else if (answer.conflict) {
        overtaken = true;
        compare.hidden = false;
        say("Could not save: somebody else has changed the note meanwhile. Your text is still here.", "bad");
      } else {
        say(`Could not save: ${answer.detail}`, "bad");
      }
    } catch {
      say("Could not save: there is no connection. It is tried again.", "bad");
      later(AGAIN);
    }
  }

  function save() {
    clearTimeout(timer);
    if (overtaken || text.value === saved) return running;
    if (!running) running = attempt().finally(() => (running = null));
    else later(PAUSE);
    return running;
  }

  text.addEventListener("input", () => {
    if (overtaken) return;
    since ||= Date.now();
    say("Not saved yet");
    later(Math.max(0, Math.min(PAUSE, since + LONGEST - Date.now())));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    }
  });
  // A save that is under way is waited for, or the form would be overtaken by it.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!running) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    running.then(() => {
      clearTimeout(timer);
      form.requestSubmit(event.submitter);
    });
  });
  guard(form, () => text.value !== saved);
}

// A file goes to the object store by a presigned URL, and its key back to us with the form; some forms do without one.
for (const form of document.querySelectorAll("[data-upload]")) {
  const state = form.querySelector("[data-uploaded]");
  form.hidden = false;
  form.querySelector("[data-file]")?.removeAttribute("hidden");
  form.addEventListener("submit", async (event) => {
    const [file] = form.querySelector("input[type=file]").files;
    if (form.elements.upload_key.value || (!file && "optional" in form.dataset)) return;
    event.preventDefault();
    const button = event.submitter;
    const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (!file) return (state.textContent = "Choose a file.");
    button.disabled = true;
    state.textContent = "Uploading…";
    try {
      const sha256 = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      const body = new URLSearchParams({ csrf: form.elements.csrf.value, size_bytes: file.size, sha256 });
      const announced = await fetch(form.dataset.upload, { method: "POST", body, headers: { Accept: "application/json" } });
      const place = await announced.json();
      if (!announced.ok) throw new Error(place.detail);
      const { "Content-Length": _, ...headers } = place.headers; // the browser says it itself
      const stored = await fetch(place.url, { method: "PUT", body: file, headers });
      if (!stored.ok) throw new Error("the store has refused the file");
      form.elements.upload_key.value = place.upload_key;
      if (form.elements.title?.value === "") form.elements.title.value = file.name.replace(/\.[^.]*$/, "").slice(0, 255);
      button.disabled = false;
      form.requestSubmit(button);
    } catch (error) {
      state.textContent = `Could not upload: ${error.message}`;
      button.disabled = false;
    }
  });
}

// Times of steps mark the segments that they cite, and go there; without scripts they lead to the first one.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-cites]");
  const [from, to] = link ? link.dataset.cites.split("-").map(Number) : [];
  const first = link && document.getElementById("s" + from);
  if (!first) return;
  event.preventDefault();
  for (const marked of document.querySelectorAll(".cited")) marked.classList.remove("cited");
  for (let index = from; index <= to; index++) document.getElementById("s" + index)?.classList.add("cited");
  first.scrollIntoView({ block: "center" });
  first.focus({ preventScroll: true });
  first.addEventListener("keydown", (key) => key.key === "Escape" && link.focus(), { once: true });
});

// Problems of a text lead to its line there; without scripts, to the text.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  const text = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!text) return;
  event.preventDefault();
  const lines = text.value.split("\n"), line = Number(link.dataset.line) - 1;
  const begin = lines.slice(0, line).reduce((sum, item) => sum + item.length + 1, 0);
  text.focus();
  text.setSelectionRange(begin, begin + (lines[line] ?? "").length);
  text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, line - 3);
});
