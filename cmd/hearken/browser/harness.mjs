// What the scripts that drive the chat widget in Chromium share. They are
// started by browser_test.go, which plays the department and the operator: a
// line on stdout asks it for something, and a line on stdin says that it is
// done.
//   node SCRIPT.mjs GATEWAY HOST FOLDER-FOR-SCREENSHOTS
import { createInterface } from "node:readline";
import { readFileSync, writeFileSync } from "node:fs";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const [gateway, host, shots] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export async function ask(...what) {
  console.log("ask " + what.join(" "));
  const { value } = await lines.next();
  assert.equal(value, "done", what.join(" "));
}
export const step = (name) => console.log("step " + name);

// The processes in here are all ours, and see our own servers only.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
export async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20000);
  return context;
}
const faults = [];
export function watch(page) {
  page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) faults.push(m.text()); });
  page.on("pageerror", (e) => faults.push(String(e)));
  return page;
}
export const state = (page, s) => page.locator(`.state[data-state=${s}]`).waitFor();
export const says = (page, text) => page.getByRole("log").getByText(text).waitFor();
export const received = (page, text, note = "已收到") => page.locator(".item", { hasText: text }).filter({ hasText: note }).waitFor();
export const waiting = (page, text) => received(page, text, "等待发送");
export async function write(page, text) {
  await page.locator("textarea").fill(text);
  await page.keyboard.press("Enter");
}
export async function accessible(page, where) {
  // The window rises into view; half there its colours are not its own. A
  // document does not tell of what moves in its shadow trees.
  await page.evaluate(() => {
    const trees = [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean)];
    return Promise.all(trees.flatMap((t) => t.getAnimations()).map((a) => a.finished));
  });
  // Through the debugger, past the page's Content-Security-Policy.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(axe, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run(document));
  assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" ") + ": " + n.failureSummary)]), [], where);
}

// run runs a script, and leaves pictures of where it failed.
export async function run(script) {
  try {
    await script();
    assert.deepEqual(faults, []);
    console.log("passed");
  } catch (e) {
    for (const [i, p] of browser.contexts().flatMap((c) => c.pages()).entries()) await p.screenshot({ path: `${shots}/failed-${i}.png` }).catch(() => {});
    writeFileSync(shots + "/failed.txt", String(e.stack) + "\n" + faults.join("\n"));
    console.log("failed " + String(e.stack).replaceAll("\n", " | "));
    process.exitCode = 1;
  } finally {
    await browser.close();
    process.exit();
  }
}
