// A customer's whole conversation, in and out of tunnels.
import assert from "node:assert/strict";
import { accessible, ask, gateway, host, open, received, run, says, shots, state, step, waiting, watch, write } from "./harness.mjs";

await run(async () => {
  const context = await open({ locale: "zh-CN", viewport: { width: 1000, height: 760 }, permissions: ["clipboard-read", "clipboard-write"] });
  step("conversation, on a page with a strict policy and hostile styles");
  const page = watch(await context.newPage());
  await page.goto(host);
  const launch = page.getByRole("button", { name: "我要投诉" });
  await launch.waitFor();
  await accessible(page, "closed");
  await launch.focus();
  await page.keyboard.press("Enter"); // by keyboard
  await state(page, "on");
  await says(page, "您好");
  assert.equal(await page.locator("textarea").evaluate((e) => e.getRootNode().activeElement === e), true, "the cursor is in the text");
  assert.ok(await page.getByText("仅用于处理您的投诉").isVisible(), "the privacy notice is there before the first message");
  const looks = (e) => page.locator(e).evaluate((e) => getComputedStyle(e)).then((s) => [s.color, s.fontSize]);
  assert.deepEqual(await looks(".item p"), ["rgb(28, 28, 30)", "15px"], "the page's styles stay outside");
  assert.equal(await page.locator(".panel h2").evaluate((e) => getComputedStyle(e).color), "rgb(255, 255, 255)", "the page's styles stay outside");
  await accessible(page, "open");
  await page.screenshot({ path: shots + "/1-open.png" });

  step("an input method: Enter chooses a word and sends nothing");
  const cdp = await context.newCDPSession(page);
  await cdp.send("Input.imeSetComposition", { text: "bao guo", selectionStart: 7, selectionEnd: 7 });
  await page.locator("textarea").dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
  assert.equal(await page.locator(".item.me").count(), 0);
  await cdp.send("Input.insertText", { text: "我的包裹丢了，订单 88231，请退款" });
  await page.keyboard.press("Enter");
  await received(page, "我的包裹丢了");
  await says(page, "已登记");
  const number = (await page.locator(".number strong").textContent()).replaceAll(" ", "");
  assert.match(number, /^\d{12}$/);
  await page.getByRole("button", { name: "复制" }).click();
  await page.getByRole("button", { name: "已复制" }).waitFor();
  assert.equal((await page.evaluate(() => navigator.clipboard.readText())).replaceAll(" ", ""), number);
  await ask("update", number, "我们正在查找您的包裹");
  await says(page, "正在查找您的包裹");
  await accessible(page, "in conversation");
  await page.screenshot({ path: shots + "/2-conversation.png" });

  step("offline and back");
  await context.setOffline(true);
  await state(page, "off");
  await write(page, "隧道里的第一句");
  await write(page, "隧道里的第二句");
  await waiting(page, "隧道里的第二句");
  await page.screenshot({ path: shots + "/3-offline.png" });
  await context.setOffline(false);
  await received(page, "隧道里的第一句");
  await received(page, "隧道里的第二句");

  step("the gateway is killed; what is written meanwhile survives a reload");
  await ask("kill");
  await state(page, "off");
  await write(page, "网关停了的时候写的");
  await waiting(page, "网关停了的时候写的");
  await ask("start");
  await page.reload();
  await launch.click();
  await received(page, "网关停了的时候写的");
  await says(page, "正在查找您的包裹");

  step("two tabs are one conversation");
  const second = watch(await context.newPage());
  await second.goto(host);
  await second.getByRole("button", { name: "我要投诉" }).click();
  await state(second, "on");
  await says(second, "隧道里的第一句");
  await write(second, "第二个窗口写的");
  await received(second, "第二个窗口写的");
  await received(page, "第二个窗口写的");
  await ask("update", number, "两个窗口都收到");
  await says(page, "两个窗口都收到");
  await says(second, "两个窗口都收到");
  assert.equal((await page.locator(".item", { hasText: "第二个窗口写的" }).count()), 1);
  await second.close();

  step("files: chosen, and dropped");
  await page.locator("input[type=file]").setInputFiles({ name: "发票 1.txt", mimeType: "text/plain", buffer: Buffer.from("invoice ".repeat(50000)) });
  await received(page, "发票 1.txt");
  const drop = await page.evaluateHandle(() => { const d = new DataTransfer(); d.items.add(new File(["photo"], "照片.png", { type: "image/png" })); return d; });
  await page.locator(".panel").dispatchEvent("drop", { dataTransfer: drop });
  await received(page, "照片.png");
  await page.screenshot({ path: shots + "/4-files.png" });
  await page.keyboard.press("Escape");
  await launch.waitFor();

  step("a narrow screen, in English, on the gateway's own page");
  const phone = await open({ locale: "en-GB", viewport: { width: 320, height: 560 }, isMobile: true, hasTouch: true, reducedMotion: "reduce" });
  const small = watch(await phone.newPage());
  await small.goto(gateway + "/chat/web/");
  await state(small, "on");
  await small.getByText("How to reach you").tap();
  await small.getByLabel("E-mail").fill("ann@example.com");
  await small.getByRole("button", { name: "Save" }).tap();
  await small.locator("textarea").fill("The parcel never arrived and nobody answers " + "x".repeat(120));
  await small.getByRole("button", { name: "Send" }).tap();
  await received(small, "never arrived", "Received");
  await says(small, "order or contract number");
  await small.locator(".log").evaluate(async (e) => { // the newest is in sight, as soon as the page is drawn
    for (const end = Date.now() + 5000; e.scrollHeight - e.scrollTop - e.clientHeight >= 40;) {
      if (Date.now() > end) throw new Error("the newest is out of sight");
      await new Promise(requestAnimationFrame);
    }
  });
  assert.ok(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  const send = await small.getByRole("button", { name: "Send" }).boundingBox();
  assert.ok(send.x >= 0 && send.x + send.width <= 320 && send.y + send.height <= 560, "the button is on the screen: " + JSON.stringify(send));
  await accessible(small, "narrow");
  await small.screenshot({ path: shots + "/5-narrow.png" });
  await small.goto(host);
  await small.getByRole("button", { name: "Make a complaint" }).tap();
  await state(small, "on");
  await accessible(small, "narrow, over a page");
  await small.screenshot({ path: shots + "/6-narrow-host.png" });
});
