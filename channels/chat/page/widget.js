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
  const prefix = "hearken." + site + ".";
  const memory = new Map();
  const kept = {
    get(key) { try { return JSON.parse(localStorage.getItem(prefix + key)) ?? memory.get(key); } catch { return memory.get(key); } },
    set(key, value) { memory.set(key, value); try { localStorage.setItem(prefix + key, JSON.stringify(value)); } catch { /* full or forbidden */ } },
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

  const wanted = [kept.get("language"), option.language, ...(navigator.languages || [])].filter(Boolean);
  const language = wanted.map((l) => l.toLowerCase().split("-")[0]).find((l) => LANGUAGES[l]) || "en";
  const text = (key) => LANGUAGES[language][key] || LANGUAGES.en[key] || key;

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

  const host = make("div", { lang: language });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const status = make("p", { className: "state", role: "status" });
  const digits = make("strong");
  const copy = make("button", { type: "button", textContent: text("copy"), onclick: copyNumber });
  const number = make("div", { className: "number", hidden: true }, make("span", { textContent: text("number") }), digits, copy);
  const privacy = make("p", { className: "note" }, text("privacy") + " ");
  if (/^https?:/.test(option.privacy || "")) privacy.append(make("a", { href: option.privacy, target: "_blank", rel: "noopener", textContent: text("policy") }));
  const log = make("div", { className: "log", tabIndex: 0, role: "log", "aria-label": text("title") });
  const typing = make("p", { className: "typing", role: "status" });
  const who = make("details", null, make("summary", { textContent: text("who") }),
    make("form", { onsubmit: saveContact },
      field("name", "text", { autocomplete: "name", maxLength: 100 }), field("email", "email", { autocomplete: "email", maxLength: 254 }),
      field("phone", "tel", { autocomplete: "tel", maxLength: 40 }), field("number", "text", { inputMode: "numeric", maxLength: 20 }),
      make("button", { className: "main", textContent: text("save") })));
  const words = make("textarea", { rows: 2, maxLength: 4000, placeholder: text("write"), "aria-label": text("write"), onkeydown: enter });
  const file = make("input", { type: "file", hidden: true, multiple: true, "aria-label": text("file"), onchange: () => { [...file.files].forEach(upload); file.value = ""; } });
  const say = make("form", { className: "say", onsubmit: submit },
    make("button", { type: "button", title: text("file"), "aria-label": text("file"), onclick: () => file.click() }, clip()), file, words,
    make("button", { className: "main", textContent: text("send") }));
  const again = make("button", { className: "main", hidden: true, textContent: text("again"), onclick: restart });
  const close = make("button", { type: "button", textContent: "×", "aria-label": text("close"), onclick: () => show(false) });
  const panel = make("section", { className: "panel", hidden: true, role: "region", "aria-label": text("title") },
    make("header", null, make("h2", { textContent: text("title") }), close), status, number, log, typing, privacy, who, say, again);
  const launch = make("button", { className: "launch main", textContent: text("open"), "aria-expanded": "false", onclick: () => show(true) });
  root.append(launch, panel);
  panel.addEventListener("keydown", (e) => { if (e.key === "Escape" && !inline) show(false); });
  for (const kind of ["dragenter", "dragover"]) panel.addEventListener(kind, (e) => { e.preventDefault(); panel.classList.add("drop"); });
  for (const kind of ["dragleave", "drop"]) panel.addEventListener(kind, (e) => { e.preventDefault(); panel.classList.remove("drop"); });
  panel.addEventListener("drop", (e) => [...e.dataTransfer.files].forEach(upload));

  const inline = option.inline && document.querySelector(option.inline);
  (inline || document.body).append(host);
  if (inline) { panel.classList.add("inline"); close.hidden = true; }

  function show(open) {
    panel.hidden = !open; launch.hidden = open;
    launch.setAttribute("aria-expanded", String(open));
    launch.removeAttribute("data-new");
    if (open) { if (!socket && !over) connect(); draw(); if (!inline) words.focus(); } else launch.focus();
  }

  const grouped = (n) => n.replace(/(\d{4})(?=\d)/g, "$1 ");
  let drawn = "";
  const uploads = new Map(); // of this page: id to {file, part, error}

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
      requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
    }
    const n = [...own, ...heard].map((m) => m.number).filter(Boolean).pop() || "";
    number.hidden = !n; digits.textContent = grouped(n);
    privacy.hidden = own.length > 0;
  }
  function line(m) {
    const note = m.from !== "me" ? text(m.from) : m.error ? text("failed") + ": " + m.error : text(m.safe ? "safe" : "waiting");
    const key = [m.from, m.seq || m.id, note].join(" ");
    return { key, make: () => {
      const e = make("div", { className: "item " + m.from + (m.error ? " bad" : "") }, make("p", { textContent: m.text }), make("small", { textContent: note }));
      if (m.error) e.append(make("button", { type: "button", textContent: text("retry"), onclick: () => { kept.set("m." + m.id, { ...m, from: undefined, error: undefined }); draw(); flush(true); } }));
      e.dataset.key = key;
      return e;
    } };
  }
  function uploadLine(id, u) {
    const key = "upload " + id + (u.error || "");
    return { key, make: () => {
      const e = make("div", { className: "item me" + (u.error ? " bad" : "") }, make("p", { textContent: u.file.name }));
      if (u.error) e.append(make("small", { textContent: text("failed") + ": " + u.error }), make("button", { type: "button", textContent: text("retry"), onclick: () => { uploads.delete(id); upload(u.file); } }));
      else e.append(u.bar = make("progress", { max: 1, value: 0, "aria-label": text("sending") + " " + u.file.name }));
      e.dataset.key = key;
      return e;
    } };
  }
  function tell(key) { status.textContent = text(key); status.className = "state " + key; status.dataset.state = key; }

  // The line.
  let socket = null, joined = false, over = false, wait = 500, timer = 0, beat = 0, heardAt = 0, known = "";
  const send = (f) => socket.send(JSON.stringify(f));

  // Two tabs that open at once must not open two sessions.
  function connect() {
    if (kept.get("s") || !navigator.locks) { dial(() => {}); return; }
    navigator.locks.request(prefix + "session", () => new Promise(dial)).catch(() => dial(() => {}));
  }
  function dial(settled) {
    clearTimeout(timer);
    const url = new URL(site + "/ws", base);
    url.protocol = url.protocol.replace("http", "ws");
    const ws = socket = new WebSocket(url, "hearken.chat.v1");
    ws.onopen = () => {
      const s = kept.get("s") || {};
      known = s.session || "";
      send({ type: "hello", session: known, token: s.token || "", last_seq: lastSeq(), language, page: location.pathname.slice(0, 200), identity: identity() });
    };
    ws.onmessage = (e) => {
      heardAt = Date.now();
      const f = JSON.parse(e.data);
      if (f.type === "welcome") { welcome(f); settled(); } else if (hear[f.type]) hear[f.type](f);
    };
    ws.onclose = (e) => {
      settled();
      if (ws !== socket) return;
      joined = false; socket = null; clearInterval(beat);
      if (e.code === 4401) forget();
      else if (e.code === 1000) { finish(); return; }
      else if ([1008, 1009, 4400, 4429].includes(e.code)) wait = 30000;
      tell("off");
      timer = setTimeout(connect, e.code === 4401 ? 0 : wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, 30000);
    };
  }
  function identity() {
    return option.identity ? { claims: option.identity, hmac: option.identityHmac || "" } : undefined;
  }
  function forget() { kept.drop("s"); theirs().forEach((m) => kept.drop("g." + m.seq)); mine().forEach((m) => kept.set("m." + m.id, { ...m, after: 0 })); }
  function finish() { over = true; tell("ended"); say.hidden = who.hidden = true; again.hidden = false; }
  function restart() {
    forget(); mine().forEach((m) => kept.drop("m." + m.id));
    over = false; say.hidden = who.hidden = false; again.hidden = true;
    draw(); connect(); words.focus();
  }
  function welcome(f) {
    const s = kept.get("s");
    if (known === "" && s && s.session !== f.session) { socket.close(); return; } // another tab was first
    if (f.seq !== undefined) theirs().forEach((m) => { if (m.seq > f.seq) kept.drop("g." + m.seq); }); // the gateway lost them, and counts on from there
    kept.set("s", { session: f.session, token: f.token });
    known = f.session; joined = true; wait = 500; pending = "";
    tell("on");
    const me = kept.get("me");
    if (me) send({ type: "contact", ...me });
    // A browser can't ping: without this a dead line looks like a quiet one.
    clearInterval(beat);
    beat = setInterval(() => {
      if (Date.now() - heardAt > 60000) { socket.close(); return; }
      if (Date.now() - heardAt > 25000) send({ type: "ping" });
      flush(true);
    }, 5000);
    flush(true);
  }
  const hear = {
    receipt(f) { settle(f.id, { safe: true, number: f.number || undefined }); },
    error(f) { if (f.id) settle(f.id, { error: f.text }); else if (f.text) status.textContent = f.text; },
    retry(f) { setTimeout(() => { if (pending === f.id) { pending = ""; flush(true); } }, f.after_ms); },
    typing() { typing.textContent = text("typing"); clearTimeout(typing.timer); typing.timer = setTimeout(() => { typing.textContent = ""; }, 6000); },
    message(f) {
      kept.set("g." + f.seq, { seq: f.seq, from: f.from, text: f.text, number: f.number });
      if (f.from === "department") typing.textContent = "";
      if (panel.hidden) launch.setAttribute("data-new", "");
      draw();
    },
  };

  // One message is under way at a time, so that they arrive in their order.
  // all: also what another tab wrote, which may be gone.
  let pending = "";
  function flush(all) {
    if (!joined || pending) return;
    const m = unsent()[0];
    if (!m || !(all || written.has(m.id))) return;
    pending = m.id;
    send({ type: "message", id: m.id, text: m.text, files: m.files });
  }
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
    draw(); flush();
  }
  function submit(e) {
    e.preventDefault();
    const t = words.value.trim();
    if (t) { words.value = ""; speak(t); }
    words.focus();
  }
  function enter(e) { // while an input method composes, Enter chooses a word
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) { e.preventDefault(); say.requestSubmit(); }
  }

  // upload sends a file, with its name as an encoded word of RFC 2047; it is
  // said once the gateway has it.
  function upload(f) {
    const id = String(Math.random()), u = { file: f }, s = kept.get("s");
    const fail = (why) => { u.error = why; draw(); };
    uploads.set(id, u);
    if (!s) { fail(text("off")); return; }
    const x = new XMLHttpRequest();
    x.open("POST", new URL(site + "/files", base));
    x.setRequestHeader("Authorization", "Bearer " + s.session + "." + s.token);
    x.setRequestHeader("Content-Type", f.type || "application/octet-stream");
    x.setRequestHeader("X-Filename", "=?utf-8?B?" + btoa(String.fromCharCode(...new TextEncoder().encode(f.name.slice(-200)))) + "?=");
    x.upload.onprogress = (e) => { if (u.bar && e.lengthComputable) u.bar.value = e.loaded / e.total; };
    x.onerror = () => fail(text("off"));
    x.onload = () => {
      if (x.status !== 200) { fail(x.responseText.slice(0, 200)); return; }
      uploads.delete(id);
      speak(f.name, [JSON.parse(x.responseText).ref]);
    };
    x.send(f);
    draw();
  }
  function saveContact(e) {
    e.preventDefault();
    const me = {};
    for (const [k, v] of new FormData(e.target)) if (v) me[k] = v;
    kept.set("me", me);
    if (joined) send({ type: "contact", ...me });
    who.open = false;
    who.firstChild.textContent = text("who") + " · " + text("saved");
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
    if (joined && s && s.session !== known) socket.close();
    draw();
  });
  addEventListener("online", () => { if (!socket && !over && !panel.hidden) { wait = 500; connect(); } });
  addEventListener("offline", () => { if (socket) { tell("off"); socket.close(); } });

  for (const [k, v] of Object.entries(kept.get("me") || {})) { const i = who.querySelector('[name="' + k + '"]'); if (i) i.value = v; }
  tell("off"); draw();
  if (inline || option.open === "true") show(true);
  else if (unsent().length || kept.get("s")) connect();
})();
