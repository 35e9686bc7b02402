// Opens each page that stdin names, [{file, width, scheme, picture}], and prints what was found there as JSON. Judges nothing.
// Needs AUTOML_BROWSER, a folder with node_modules (axe-core, playwright-core), and CHROMIUM, the browser's path.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.AUTOML_BROWSER, "here.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
const found = [];
for (const wanted of JSON.parse(readFileSync(0, "utf8"))) {
  const context = await browser.newContext({
    viewport: { width: wanted.width, height: wanted.width < 600 ? 844 : 900 },
    colorScheme: wanted.scheme,
    deviceScaleFactor: wanted.width < 600 ? 2 : 1,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || complaints.push(`asked for ${request.url()}`));
  await page.goto(pathToFileURL(wanted.file).href);
  const layout = await page.evaluate(() => {
    const cut = [];
    for (const text of document.querySelectorAll("svg text")) {
      const mine = text.getBoundingClientRect();
      const frame = text.closest("svg").getBoundingClientRect();
      const slack = 1;
      if (mine.width && (mine.left < frame.left - slack || mine.right > frame.right + slack || mine.top < frame.top - slack || mine.bottom > frame.bottom + slack)) cut.push(text.textContent);
    }
    return { overflow: document.documentElement.scrollWidth - window.innerWidth, cut, styled: getComputedStyle(document.querySelector("h1")).fontWeight };
  });
  if (wanted.picture) await page.screenshot({ path: wanted.picture, fullPage: true });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  found.push({
    ...wanted,
    ...layout,
    complaints,
    violations: violations.map((one) => ({ id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)) })),
  });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(found));
