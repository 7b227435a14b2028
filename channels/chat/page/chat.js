// The demo page: speaks hearken.chat.v1 as docs/streams.md describes it.
"use strict";

const TEXTS = {
  zh: { title: "投诉在线", write: "写下发生了什么", send: "发送", copy: "复制", number: "投诉编号", who: "怎么联系您", name: "姓名", email: "邮箱", phone: "电话", save: "保存", file: "文件",
        on: "已连接", off: "连接断开，正在重连…", closed: "对话已关闭", waiting: "发送中…", safe: "已收到", saved: "已保存", failed: "没有发出：", gateway: "系统", department: "客服部门", other: "English" },
  en: { title: "Complaints online", write: "Tell us what happened", send: "Send", copy: "Copy", number: "Complaint number", who: "How to reach you", name: "Name", email: "E-mail", phone: "Phone", save: "Save", file: "File",
        on: "Connected", off: "Connection lost, reconnecting…", closed: "The chat is closed", waiting: "Sending…", safe: "Received", saved: "Saved", failed: "Not sent: ", gateway: "System", department: "Department", other: "中文" },
};

const $ = (id) => document.getElementById(id);
const site = location.pathname.split("/")[2];
const store = "hearken." + site;
const state = Object.assign({ session: "", token: "", seq: 0, outbox: [], log: [], number: "", language: "" }, JSON.parse(localStorage.getItem(store) || "{}"));
state.language = state.language || (navigator.language.startsWith("zh") ? "zh" : "en");
let socket = null, wait = 500, joined = false;

const save = () => localStorage.setItem(store, JSON.stringify(state));
const text = (key) => TEXTS[state.language][key];
const grouped = (n) => n.replace(/(\d{4})(\d{4})(\d{4})/, "$1 $2 $3");

function translate() {
  document.documentElement.lang = state.language;
  document.title = text("title");
  for (const e of document.querySelectorAll("[data-text]")) e.textContent = text(e.dataset.text);
  $("text").placeholder = text("write");
  $("language").textContent = text("other");
  $("log").setAttribute("aria-label", text("title"));
  if ($("state").dataset.state) show($("state").dataset.state);
}

function draw() {
  const log = $("log");
  log.replaceChildren(...state.log.map((m) => {
    const li = document.createElement("li");
    li.className = m.from === "me" ? "mine" : m.from;
    const body = document.createElement("span");
    body.textContent = m.text;
    const note = document.createElement("small");
    note.textContent = m.from !== "me" ? text(m.from) : m.error ? text("failed") + m.error : text(m.safe ? "safe" : "waiting");
    if (m.error) li.classList.add("failed");
    li.append(body, note);
    return li;
  }));
  requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; }); // once it is laid out
  $("number").hidden = !state.number;
  $("digits").textContent = grouped(state.number);
}

function show(key) { $("state").textContent = text(key); $("state").dataset.state = key; }

// One message is under way at a time, so that they arrive in their order.
function flush() {
  if (!joined || !state.outbox.length) return;
  const { id, text: words, files } = state.outbox[0];
  socket.send(JSON.stringify({ type: "message", id, text: words, files }));
}

function settle(id, error) {
  state.outbox = state.outbox.filter((m) => m.id !== id);
  const m = state.log.find((x) => x.id === id);
  if (m) { m.safe = !error; m.error = error; }
  save(); draw(); flush();
}

const handlers = {
  welcome(f) {
    if (f.session !== state.session) { state.seq = 0; }
    state.session = f.session; state.token = f.token;
    joined = true; wait = 500;
    save(); show("on");
    if (state.who) socket.send(JSON.stringify(Object.assign({ type: "contact" }, state.who)));
    flush();
  },
  receipt(f) {
    if (f.number) state.number = f.number;
    settle(f.id);
  },
  retry(f) { setTimeout(flush, f.after_ms); },
  error(f) { if (f.id) settle(f.id, f.text); },
  message(f) {
    if (f.seq <= state.seq) return;
    state.seq = f.seq;
    if (f.number) state.number = f.number;
    state.log.push({ from: f.from, text: f.text });
    save(); draw();
  },
};

function connect() {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url, "hearken.chat.v1");
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", session: state.session, token: state.token, last_seq: state.seq, language: state.language, page: location.pathname }));
  socket.onmessage = (e) => { const f = JSON.parse(e.data); if (handlers[f.type]) handlers[f.type](f); };
  socket.onclose = (e) => {
    joined = false;
    if (e.code === 4401) { state.session = state.token = ""; state.seq = 0; save(); }
    else if ([1000, 1008, 1009, 4400, 4429].includes(e.code)) { show("closed"); return; }
    show("off");
    setTimeout(connect, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, 30000);
  };
}

function say(words, files) {
  const id = crypto.randomUUID ? crypto.randomUUID() : String(Date.now()) + Math.random().toString(36).slice(2);
  state.outbox.push({ id, text: words, files });
  state.log.push({ id, from: "me", text: words || "📎", safe: false });
  save(); draw();
  if (state.outbox.length === 1) flush();
}

$("say").addEventListener("submit", (e) => {
  e.preventDefault();
  const words = $("text").value.trim();
  if (words) { say(words); $("text").value = ""; }
});
$("text").addEventListener("keydown", (e) => {
  // While an input method composes, Enter chooses a word.
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); $("say").requestSubmit(); }
});
$("file").addEventListener("change", async (e) => {
  const file = e.target.files[0];
  if (!file) return;
  const name = "=?utf-8?B?" + btoa(String.fromCharCode(...new TextEncoder().encode(file.name))) + "?=";
  try {
    const r = await fetch("files", { method: "POST", body: file, headers: { Authorization: "Bearer " + state.session + "." + state.token, "Content-Type": file.type || "application/octet-stream", "X-Filename": name } });
    if (!r.ok) throw new Error(await r.text());
    say("📎 " + file.name, [(await r.json()).ref]);
  } catch (err) {
    state.log.push({ from: "me", text: "📎 " + file.name, error: err.message });
    draw();
  }
  e.target.value = "";
});
$("contact").addEventListener("submit", (e) => {
  e.preventDefault();
  state.who = Object.fromEntries(new FormData(e.target));
  save();
  if (joined) socket.send(JSON.stringify(Object.assign({ type: "contact" }, state.who)));
  $("who").open = false;
});
$("copy").addEventListener("click", () => navigator.clipboard && navigator.clipboard.writeText(state.number));
$("language").addEventListener("click", () => { state.language = state.language === "zh" ? "en" : "zh"; save(); translate(); draw(); });

translate(); draw(); show("off"); connect();
