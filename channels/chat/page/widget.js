// The chat widget: one script tag, no framework, speaks hearken.chat.v1 as
// docs/streams.md describes it.
//
//   <script src="https://intake.example.com/chat/widget.js" data-site="web" async></script>
//
// Every message is an own entry in localStorage, written once and never
// changed into something else. So tabs share a conversation without a leader:
// each has a line of its own, and sending a message twice is sending it once.
(() => {
  "use strict";
  const script = document.currentScript;
  const option = script.dataset;
  const base = new URL(".", script.src); // https://intake.example.com/chat/
  const site = option.site || "web";
  const LANGUAGES = {}; // texts.json
  const STYLE = ""; // widget.css

  // What is kept. A browser that forbids localStorage keeps it for the page.
  let durable = true;
  const prefix = "hearken." + site + ".";
  const memory = new Map();
  const kept = {
    get(key) { try { return JSON.parse(localStorage.getItem(prefix + key)) ?? memory.get(key); } catch { return memory.get(key); } },
    set(key, value) {
      try { localStorage.setItem(prefix + key, JSON.stringify(value)); } catch { durable = false; kept.drop(key); } // full or forbidden; what is old must not be read
      memory.set(key, value);
    },
    drop(key) { memory.delete(key); try { localStorage.removeItem(prefix + key); } catch { /* forbidden */ } },
    all(kind) {
      const keys = new Set(memory.keys());
      try { for (const k of Object.keys(localStorage)) if (k.startsWith(prefix)) keys.add(k.slice(prefix.length)); } catch { /* forbidden */ }
      return [...keys].filter((k) => k.startsWith(kind)).map((k) => kept.get(k)).filter(Boolean);
    },
  };
  const mine = () => kept.all("m.").sort((a, b) => a.at - b.at);
  const theirs = () => kept.all("g.").sort((a, b) => a.seq - b.seq);
  const lastSeq = () => theirs().reduce((n, m) => Math.max(n, m.seq), 0);
  const unsent = () => mine().filter((m) => !m.safe && !m.error);

  const wanted = [option.language, ...(navigator.languages || [])].filter(Boolean);
  const language = wanted.map((l) => l.toLowerCase().split("-")[0]).find((l) => LANGUAGES[l]) || "en";
  const text = (key) => LANGUAGES[language]?.[key] || LANGUAGES.en[key];
  // The chat's direction is its language's, whatever the page's is: a number
  // that runs the other way is another number.
  const dir = ["ar", "fa", "he", "ur"].includes(language) ? "rtl" : "ltr";

  // Elements. No style attributes and no markup from strings: a strict
  // Content-Security-Policy allows all of it.
  function make(tag, attributes, ...children) {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
      else if (k in e && k !== "list") e[k] = v;
      else e.setAttribute(k, v);
    }
    e.append(...children);
    return e;
  }
  const field = (name, type, more) => make("label", null, text(name === "number" ? "old" : name), make("input", { name, type, ...more }));

  function clip() {
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", "M20 11l-8 8a5 5 0 0 1-7-7l9-9a3.300 3.300 0 0 1 5 5l-9 9a1.700 1.700 0 0 1-2.400-2.400l8-8");
    svg.append(path);
    return svg;
  }

  const host = make("div", { id: "hearken-" + site, lang: language });
  const root = host.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
  } catch { root.append(make("style", { textContent: STYLE })); } // Safari before 16.4

  const status = make("p", { className: "state", role: "status" });
  const digits = make("strong", { dir: "ltr" });
  const copy = make("button", { type: "button", textContent: text("copy"), onclick: copyNumber });
  const leave = make("button", { type: "button", className: "leave", textContent: text("end"), onclick: () => send({ type: "end" }) });
  const number = make("div", { className: "number", hidden: true }, make("span", { textContent: text("number") }), digits, copy);
  const privacy = make("p", { className: "note" }, text("privacy") + " ");
  if (/^https?:/.test(option.privacy || "")) privacy.append(make("a", { href: option.privacy, target: "_blank", rel: "noopener", textContent: text("policy") }));
  const log = make("div", { className: "log", tabIndex: 0, role: "log", "aria-label": text("title"), onscroll: () => {
    // Only who scrolls up looks at something else: what grows below is no reason.
    follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40 || follows && log.scrollTop >= scrolled;
    scrolled = log.scrollTop;
  } });
  const typing = make("p", { className: "typing", role: "status" });
  const wrong = make("p", { className: "wrong", role: "alert" });
  const who = make("details", null, make("summary", { textContent: text("who") }),
    make("form", { onsubmit: saveContact },
      field("name", "text", { autocomplete: "name", maxLength: 100 }), field("email", "email", { autocomplete: "email", maxLength: 254 }),
      field("phone", "tel", { autocomplete: "tel", maxLength: 40 }), field("number", "text", { inputMode: "numeric", maxLength: 20 }),
      wrong, make("button", { className: "main", textContent: text("save") })));
  const words = make("textarea", { rows: 2, placeholder: text("write"), "aria-label": text("write"), onkeydown: enter, oninput: keepDraft, onpaste: (e) => take(e, e.clipboardData) });
  const file = make("input", { type: "file", hidden: true, multiple: true, "aria-label": text("file"), onchange: () => { [...file.files].forEach(upload); file.value = ""; } });
  const say = make("form", { className: "say", onsubmit: submit },
    make("button", { type: "button", title: text("file"), "aria-label": text("file"), onclick: () => file.click() }, clip()), file, words,
    make("button", { className: "main", textContent: text("send") }));
  const again = make("button", { className: "main", hidden: true, textContent: text("again"), onclick: restart });
  const close = make("button", { type: "button", textContent: "×", "aria-label": text("close"), onclick: () => show(false) });
  const panel = make("section", { className: "panel", hidden: true, dir, "aria-label": text("title"), "data-drop": text("drop") },
    make("header", null, make("h2", { textContent: text("title") }), leave, close), status, number, log, typing, privacy, who, say, again);
  const news = make("span", { className: "hide", role: "status" });
  const launch = make("button", { className: "launch main", dir, "aria-expanded": "false", onclick: () => show(true) }, text("open"), news);
  root.append(launch, panel);
  panel.addEventListener("keydown", (e) => { if (e.key === "Escape" && !composing(e) && !inline) show(false); });
  // Files that are dropped or pasted are taken; text goes where it always does.
  const brings = (data) => data && [...data.types].includes("Files");
  function take(e, data) { if (brings(data)) { e.preventDefault(); [...data.files].forEach(upload); } }
  for (const kind of ["dragenter", "dragover"]) panel.addEventListener(kind, (e) => { if (brings(e.dataTransfer)) { e.preventDefault(); panel.classList.add("drop"); } });
  for (const kind of ["dragleave", "drop"]) panel.addEventListener(kind, () => panel.classList.remove("drop"));
  panel.addEventListener("drop", (e) => take(e, e.dataTransfer));

  let inline = null;
  function mount() {
    if (document.getElementById(host.id)) return; // the tag is there twice
    inline = option.inline && document.querySelector(option.inline);
    panel.setAttribute("role", inline ? "region" : "dialog");
    (inline || document.body).append(host);
    if (inline) { panel.classList.add("inline"); close.hidden = true; }
    draw();
    if (inline || option.open === "true") show(true);
    else if (needed()) connect();
  }

  function show(open) {
    panel.hidden = !open; launch.hidden = open;
    launch.setAttribute("aria-expanded", String(open));
    news.textContent = "";
    if (open) { hurry(); draw(); if (!inline) words.focus(); } else launch.focus();
  }

  const grouped = (n) => n.replace(/(\d{4})(?=\d)/g, "$1 ");
  let drawn = "", follows = true, scrolled = 0; // who reads further up stays there
  const toNewest = () => { if (follows) log.scrollTop = log.scrollHeight; };
  new ResizeObserver(toNewest).observe(log); // the number and the form take of its room

  // draw shows what is kept, and touches the page only where that changed: a
  // screen reader hears each message once.
  function draw() {
    const own = mine(), heard = theirs();
    const all = [...heard.map((m) => ({ ...m, place: m.seq, own: 0 })), ...own.map((m) => ({ ...m, place: m.after, own: 1, from: "me" }))]
      .sort((a, b) => a.place - b.place || a.own - b.own || a.at - b.at);
    const pictures = [...all.map(line), ...[...uploads].map(([id, u]) => uploadLine(id, u))];
    const key = JSON.stringify(pictures.map((p) => p.key));
    if (key !== drawn) {
      drawn = key;
      const old = new Map([...log.children].map((e) => [e.dataset.key, e]));
      const next = pictures.map((p) => old.get(p.key) || p.make());
      [...log.children].forEach((e) => { if (!next.includes(e)) e.remove(); });
      next.forEach((e, i) => { if (log.children[i] !== e) log.insertBefore(e, log.children[i] || null); });
    }
    requestAnimationFrame(toNewest);
    pictures.forEach((p, i) => { const small = log.children[i].querySelector("small"); if (p.note && small.textContent !== p.note) small.textContent = p.note; });
    const n = [...own, ...heard].map((m) => m.number).filter(Boolean).pop() || "";
    number.hidden = !n; digits.textContent = grouped(n);
    leave.hidden = over || !n; leave.disabled = !joined || unsent().length > 0;
    privacy.hidden = own.length > 0;
  }
  function line(m) {
    const note = m.from !== "me" ? text(m.from) : m.error ? text("failed") + ": " + m.error : text(m.safe ? "safe" : "waiting");
    const again = () => { kept.set("m." + m.id, { ...m, from: undefined, error: undefined }); draw(); flush(true); };
    return item([m.from, m.seq ?? m.id, m.error || ""].join(" "), m.from, m.text, note, m.error && again);
  }
  function uploadLine(id, u) {
    const note = u.error ? text("failed") + ": " + u.error : u.waiting ? text("waiting") : "";
    return item(["upload", id, note].join(" "), "me", u.file.name, note, u.error && (() => { uploads.delete(id); upload(u.file); }), (e) => {
      if (!note) e.append(u.bar = make("progress", { max: 1, value: 0, "aria-label": text("sending") + " " + u.file.name }));
    });
  }
  // item is one entry of the log: how it is known, what is below it, and how
  // it is made.
  function item(key, from, words, note, again, more) {
    return { key, note, make: () => {
      const e = make("div", { className: "item " + from + (again ? " bad" : "") }, make("p", { textContent: words, dir: "auto" }), make("small", { textContent: note }));
      if (again) e.append(make("button", { type: "button", textContent: text("retry"), onclick: again }));
      more?.(e);
      e.dataset.key = key;
      return e;
    } };
  }
  function tell(key) { status.textContent = text(key); status.className = "state " + key; status.dataset.state = key; }

  // The line.
  const ANSWER_WAIT = 15000; // from a line that lives, an answer comes sooner
  let socket = null, queued = false, joined = false, over = false, wait = 500, timer = 0, beat = 0, known = "", limit = 0;
  let heardAt = 0, asked = 0; // when something was sent that is answered, and was not yet
  const send = (f) => { if (f.type !== "hello") asked ||= Date.now(); socket.send(JSON.stringify(f)); };
  const needed = () => !over && (!panel.hidden || unsent().length > 0 || Boolean(kept.get("s")));

  // Two tabs that open at once must not open two sessions.
  function connect() {
    clearTimeout(timer);
    if (socket || queued) return;
    if (kept.get("s") || !navigator.locks) { dial(() => {}); return; }
    queued = true;
    const take = (settled) => { queued = false; dial(settled); };
    navigator.locks.request(prefix + "session", () => new Promise(take)).catch(() => take(() => {}));
  }
  // hurry tries at once where there is a sign that a line may work again.
  function hurry() { if (!socket && needed()) { wait = 500; connect(); } }
  function dial(settled) {
    const url = new URL(site + "/ws", base);
    url.protocol = url.protocol.replace("http", "ws");
    const ws = socket = new WebSocket(url, "hearken.chat.v1");
    timer = setTimeout(lose, ANSWER_WAIT);
    ws.onopen = () => {
      const s = kept.get("s") || {};
      known = s.session || "";
      send({ type: "hello", session: known, token: s.token || "", last_seq: lastSeq(), language, page: location.pathname.slice(0, 200), identity: identity() });
    };
    ws.onmessage = (e) => {
      if (ws !== socket) return;
      heardAt = Date.now(); asked = 0;
      const f = JSON.parse(e.data);
      if (f.type === "welcome") { welcome(f); settled(); } else if (hear[f.type]) hear[f.type](f);
    };
    ws.onclose = (e) => {
      settled();
      if (ws !== socket) return;
      joined = false; socket = null; asked = 0; clearInterval(beat); clearTimeout(timer);
      if (over) { finish(); return; }
      if (e.code === 4401) forget();
      else if (e.code === 1009 && pending) settle(pending, { error: text("too_long") }); // it would close every line
      else if ([1008, 4400, 4429].includes(e.code)) wait = 30000;
      tell("off"); draw();
      timer = setTimeout(connect, e.code === 4401 ? 0 : wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, 30000);
    };
  }
  // lose gives a line up at once: a dead one takes its time to close.
  function lose() { const ws = socket; if (ws) { ws.close(); ws.onclose({ code: 1006 }); } }
  function identity() {
    return option.identity ? { claims: option.identity, hmac: option.identityHmac || "" } : undefined;
  }
  function forget() { kept.drop("s"); theirs().forEach((m) => kept.drop("g." + m.seq)); mine().forEach((m) => kept.set("m." + m.id, { ...m, after: 0 })); }
  function finish() {
    const here = root.activeElement;
    tell("ended"); say.hidden = who.hidden = true; again.hidden = false; draw();
    if (here) again.focus();
  }
  function restart() {
    forget(); mine().forEach((m) => { if (m.safe || m.error) kept.drop("m." + m.id); });
    const { number: old, ...me } = kept.get("me") || {}; // of the earlier complaint
    kept.set("me", me); fill();
    over = false; say.hidden = who.hidden = false; again.hidden = true;
    draw(); hurry(); words.focus();
  }
  function welcome(f) {
    const s = kept.get("s");
    if (known === "" && s && s.session !== f.session) { lose(); return; } // another tab was first
    if (f.seq !== undefined) theirs().forEach((m) => { if (m.seq > f.seq) kept.drop("g." + m.seq); }); // the gateway lost them, and counts on from there
    kept.set("s", { session: f.session, token: f.token });
    clearTimeout(timer);
    known = f.session; joined = true; wait = 500; pending = ""; limit = f.max_file || 0;
    tell("on"); draw();
    introduce();
    // A browser can't ping: without this a dead line looks like a quiet one.
    clearInterval(beat);
    beat = setInterval(() => {
      if (asked && Date.now() - asked > ANSWER_WAIT) { lose(); return; }
      if (Date.now() - heardAt > 25000) send({ type: "ping" });
      flush(true); uploadWaiting();
    }, 5000);
    flush(true); uploadWaiting();
  }
  const hear = {
    receipt(f) { settle(f.id, { safe: true, number: f.number || undefined }); },
    error(f) {
      const part = /^bad_(email|phone|number)$/.exec(f.code);
      if (f.id) settle(f.id, { error: text(f.code) || f.text });
      else if (part) refuseContact(part[1], text(f.code));
      else if (f.code === "try_again") setTimeout(introduce, 3000);
    },
    // Another tab may have sent it meanwhile; once more does no harm.
    retry(f) { setTimeout(() => { const m = pending === f.id && kept.get("m." + f.id); if (m && joined) utter(m); else if (pending === f.id) pending = ""; flush(true); }, f.after_ms); },
    typing() { typing.textContent = text("typing"); clearTimeout(typing.timer); typing.timer = setTimeout(() => { typing.textContent = ""; }, 6000); },
    message(f) {
      kept.set("g." + f.seq, { seq: f.seq, from: f.from, text: f.text, number: f.number });
      if (f.from === "department") typing.textContent = "";
      if (panel.hidden) news.textContent = " · " + text("news");
      draw();
    },
    ended() { over = true; },
  };

  // One message is under way at a time, so that they arrive in their order.
  // all: also what another tab wrote, which may be gone.
  let pending = "";
  function flush(all) {
    if (!joined || pending) return;
    const m = unsent()[0];
    if (!m || !(all || written.has(m.id))) return;
    pending = m.id;
    utter(m);
  }
  const utter = (m) => send({ type: "message", id: m.id, text: m.text, files: m.files });
  function settle(id, change) {
    const m = kept.get("m." + id);
    if (m) kept.set("m." + id, { ...m, ...change });
    if (pending === id) pending = "";
    draw(); flush(true);
  }
  const written = new Set();
  function speak(words, files) {
    const id = [...crypto.getRandomValues(new Uint8Array(15))].map((b) => b.toString(36).padStart(2, "0")).join("");
    const last = mine().pop();
    written.add(id);
    kept.set("m." + id, { id, text: words, files, after: lastSeq(), at: Math.max(Date.now(), last ? last.at + 1 : 0) });
    follows = true; draw(); flush(); hurry();
  }
  // What is too long for one message is told in several: nothing is cut off.
  const parts = (t) => t.match(/.{1,3900}(?=\s|$)|.{1,3900}/gsu).map((p) => p.trim()).filter(Boolean);
  function submit(e) {
    e.preventDefault();
    const t = words.value.trim();
    if (t) { words.value = ""; keepDraft(); parts(t).forEach((p) => speak(p)); }
    words.focus();
  }
  const composing = (e) => e.isComposing || e.keyCode === 229; // by an input method: Enter chooses a word, Escape gives it up
  function enter(e) { if (e.key === "Enter" && !e.shiftKey && !composing(e)) { e.preventDefault(); say.requestSubmit(); } }
  // A half-written sentence is this tab's, and survives the next page.
  function keepDraft() { try { sessionStorage.setItem(prefix + "draft", words.value); } catch { /* forbidden */ } }
  try { words.value = sessionStorage.getItem(prefix + "draft") || ""; } catch { /* forbidden */ }

  // Files, of this page: id to {file, bar, error, waiting}. One is said once
  // the gateway has it, and sent again by itself where the line was lost.
  const uploads = new Map();
  const MOST_TRIES = 10; // by itself; then the customer is asked
  const WRONG_FILE = { 400: "empty_file", 413: "too_large", 415: "wrong_type" };
  function upload(f) {
    const u = { file: f };
    uploads.set(String(Math.random()), u);
    if (!f.size) u.error = text("empty_file");
    else u.waiting = true;
    follows = true; draw(); uploadWaiting(); hurry();
  }
  function uploadWaiting() { if (joined) for (const [id, u] of uploads) if (u.waiting) { u.waiting = false; post(id, u); } draw(); }
  // post sends a file, with its name as an encoded word of RFC 2047.
  function post(id, u) {
    const f = u.file, s = kept.get("s") || {}, x = new XMLHttpRequest();
    const fail = (why) => { u.error = why; draw(); };
    if (limit && f.size > limit) { fail(text("too_large") + " (" + Math.floor(limit / 104857.6) / 10 + " MB)"); return; }
    x.open("POST", new URL(site + "/files", base));
    x.setRequestHeader("Authorization", "Bearer " + s.session + "." + s.token);
    x.setRequestHeader("Content-Type", f.type || "application/octet-stream");
    x.setRequestHeader("X-Filename", "=?utf-8?B?" + btoa(String.fromCharCode(...new TextEncoder().encode(f.name.slice(-200)))) + "?=");
    x.upload.onprogress = (e) => { if (u.bar && e.lengthComputable) u.bar.value = e.loaded / e.total; };
    x.onerror = () => { u.tries = (u.tries || 0) + 1; if (u.tries < MOST_TRIES) { u.waiting = true; draw(); } else fail(text("off")); };
    x.onload = () => {
      if (x.status === 503) { x.onerror(); return; }
      if (x.status !== 200) { fail(text(WRONG_FILE[x.status]) || x.responseText.slice(0, 200)); return; }
      uploads.delete(id);
      speak(f.name, [JSON.parse(x.responseText).ref]);
    };
    x.send(f);
  }
  addEventListener("beforeunload", (e) => { if ([...uploads.values()].some((u) => !u.error) || (!durable && unsent().length)) e.preventDefault(); });

  // Who the customer is.
  function introduce() { const me = kept.get("me"); if (joined && me) send({ type: "contact", ...me }); }
  function fill() { for (const i of who.querySelectorAll("input")) i.value = (kept.get("me") || {})[i.name] || ""; }
  function saveContact(e) {
    e.preventDefault();
    const me = {};
    for (const [k, v] of new FormData(e.target)) if (v) me[k] = v;
    kept.set("me", me);
    wrong.textContent = "";
    who.open = false; who.firstChild.focus();
    who.firstChild.textContent = text("who") + " · " + text("saved");
    introduce();
  }
  function refuseContact(part, why) {
    const me = kept.get("me") || {};
    delete me[part]; kept.set("me", me);
    who.open = true; who.firstChild.textContent = text("who"); wrong.textContent = why;
  }
  function copyNumber() {
    const done = () => { copy.textContent = text("copied"); setTimeout(() => { copy.textContent = text("copy"); }, 2000); };
    if (navigator.clipboard) { navigator.clipboard.writeText(digits.textContent).then(done, () => {}); return; }
    getSelection().selectAllChildren(digits); // a page without TLS
    if (document.execCommand("copy")) done();
  }

  addEventListener("storage", (e) => {
    if (!e.key || !e.key.startsWith(prefix)) return;
    memory.delete(e.key.slice(prefix.length));
    const s = kept.get("s");
    if (joined && s && s.session !== known) lose();
    draw();
  });
  addEventListener("online", hurry);
  addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
  addEventListener("offline", lose);

  fill(); tell("connecting");
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", mount); else mount();
})();
