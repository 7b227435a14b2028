// The widget on other people's pages, and what customers do to it there.
import assert from "node:assert/strict";
import { accessible, host, open, received, run, shots, state, step, watch, write } from "./harness.mjs";

const english = { locale: "en-GB", viewport: { width: 1000, height: 700 } };
async function visit(path, options = {}, first = () => {}) {
  const context = await open({ ...english, ...options });
  await context.addInitScript(first);
  const page = watch(await context.newPage());
  await page.goto(host + path);
  return page;
}
async function chat(...where) {
  const page = await visit(...where);
  await page.locator(".launch").click();
  await state(page, "on");
  return page;
}
const number = (page) => page.locator(".number strong", { hasText: /\d{4}/ }).textContent();
const file = (page, name, content) => page.locator("input[type=file]").setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content) });
const refused = (page, why) => page.locator(".item.bad", { hasText: why }).waitFor();

await run(async () => {
  step("a page from right to left that unsets everything: a number must not run the other way");
  let page = await chat("/rtl");
  await write(page, "The parcel is lost, order 88231");
  assert.match(await number(page), /^\d{4} \d{4} \d{4}$/);
  const across = await page.locator(".number strong").evaluate((e) => {
    const [first, last] = [0, 11].map((at) => { const r = document.createRange(); r.setStart(e.firstChild, at); r.setEnd(e.firstChild, at + 3); return r.getBoundingClientRect().x; });
    return last - first;
  });
  assert.ok(across > 0, "the number is read from left to right");
  assert.equal(await page.locator(".item p").first().evaluate((e) => getComputedStyle(e).fontSize), "15px");
  await accessible(page, "from right to left");
  await page.screenshot({ path: shots + "/7-rtl.png" });

  step("a second problem: end, and start anew");
  const first = await number(page);
  await page.getByRole("button", { name: "End chat" }).click();
  await state(page, "ended");
  assert.equal(await page.getByRole("button", { name: "Start a new chat" }).evaluate((e) => e.getRootNode().activeElement === e), true, "the keyboard goes on there");
  await accessible(page, "ended");
  await page.keyboard.press("Enter");
  await state(page, "on");
  await write(page, "The invoice is wrong");
  await received(page, "The invoice", "Received");
  assert.notEqual(await number(page), first);

  step("contact details: a wrong number is told, and does not come again");
  await page.getByText("How to reach you").click();
  await page.getByLabel("E-mail").fill("ann@example.com");
  await page.getByLabel("earlier complaint").fill("2611 2300 4278");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").filter({ hasText: "a digit may be wrong" }).waitFor();
  assert.deepEqual(await page.evaluate(() => JSON.parse(localStorage["hearken.web.me"])), { email: "ann@example.com" });

  step("files: empty, too large, a program, and a line that is cut");
  await file(page, "empty.txt", "");
  await refused(page, "The file is empty");
  await file(page, "large.bin", "x".repeat(300_000));
  await refused(page, "The file is too large (0.1 MB)");
  await file(page, "a.exe", "MZ" + "\0".repeat(300));
  await refused(page, "Files of this type are not taken");
  let tries = 0;
  await page.route("**/files", (route) => (tries++ ? route.continue() : route.abort()));
  await file(page, "../photo 1.txt", "hello");
  await received(page, "photo 1.txt", "Received");
  await page.screenshot({ path: shots + "/8-files-refused.png" });

  step("nothing is cut off, and a half-written sentence survives a reload");
  await write(page, "a long story ".repeat(500) + "and its end");
  await received(page, "and its end", "Received");
  await page.locator("textarea").pressSequentially("half a sent");
  await page.reload();
  await page.locator(".launch").click();
  assert.equal(await page.locator("textarea").inputValue(), "half a sent");
  await page.locator("textarea").dispatchEvent("keydown", { key: "Escape", isComposing: true, bubbles: true });
  assert.ok(await page.locator(".panel").isVisible(), "Escape gives up a word, not the chat");

  step("who reads further up stays there; who writes sees the newest");
  const fromEnd = () => page.locator(".log").evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
  await page.locator(".log").evaluate((e) => { e.scrollTop = 0; });
  await page.locator(".item", { hasText: "a long story" }).first().waitFor();
  await page.waitForTimeout(100);
  assert.ok(await fromEnd() > 40, "stays");
  await write(page, "the last word");
  await received(page, "the last word", "Received");
  await page.waitForTimeout(100);
  assert.ok(await fromEnd() < 40, "goes to the end");

  step("enlarged four times: everything can be scrolled to");
  page = await chat("/", { viewport: { width: 320, height: 256 } });
  await page.getByText("How to reach you").click();
  for (const name of ["Save", "Send", "Close"]) {
    const button = page.getByRole("button", { name });
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 256, name + " is on the screen");
  }
  assert.ok((await page.locator(".log").boundingBox()).height > 90, "there is room to read");
  await accessible(page, "enlarged");

  step("forced colours");
  page = await chat("/", { forcedColors: "active", colorScheme: "dark" });
  await write(page, "The lamp is broken");
  await received(page, "The lamp", "Received");
  await page.screenshot({ path: shots + "/9-forced-colours.png" });

  step("a tab that sleeps, as browsers let hidden ones, does not take its line for dead");
  page = await visit("/");
  let lines = 0;
  page.on("websocket", () => { lines++; });
  await page.clock.install();
  await page.locator(".launch").click();
  await state(page, "on");
  for (let minute = 0; minute < 3; minute++) {
    await page.clock.fastForward(65_000);
    await page.waitForTimeout(200); // for the answer
  }
  await state(page, "on");
  assert.equal(lines, 1, "lines");

  step("the browser's storage is full: what has its receipt is not sent again and again");
  page = await visit("/");
  let frames = 0;
  page.on("websocket", (line) => line.on("framesent", () => { frames++; }));
  await page.locator(".launch").click();
  await state(page, "on");
  await page.evaluate(() => {
    const set = Storage.prototype.setItem; // the first writing of a message still fits, its receipt does not
    let left = 1;
    Storage.prototype.setItem = function (key, value) { if (!key.includes(".m.") || left-- > 0) set.call(this, key, value); else throw new DOMException("full", "QuotaExceededError"); };
  });
  await write(page, "The toaster is broken");
  await received(page, "The toaster", "Received");
  await page.waitForTimeout(300);
  assert.ok(frames < 4, frames + " frames");

  step("a tag in the head, on a page that forbids storage");
  page = await chat("/head", {}, () => Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } }));
  await write(page, "The kettle is broken");
  await received(page, "The kettle", "Received");
  await page.keyboard.press("Escape");
  await page.locator(".launch", { hasText: "Make a complaint" }).waitFor();
});
