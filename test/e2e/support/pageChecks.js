// Runs inside the browser, before the page's own scripts: what can only be seen from there.
(() => {
  const seen = { policy: [], shifts: 0 };
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
    seen.policy.push(`${violatedDirective} ${blockedURI}`),
  );
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });

  /** "rgb(1, 2, 3)" or "rgba(1, 2, 3, 0.5)" */
  function parse(colour) {
    const [red, green, blue, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return { red, green, blue, alpha };
  }

  function over(front, back) {
    const mix = (name) => front[name] * front.alpha + back[name] * (1 - front.alpha);
    return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
  }

  /** What is behind an element's text. */
  function backgroundOf(element) {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) {
      const layer = parse(getComputedStyle(each).backgroundColor);
      layers.push(layer);
      if (layer.alpha === 1) break;
    }
    return layers.reduceRight((back, front) => over(front, back), {
      red: 255,
      green: 255,
      blue: 255,
      alpha: 1,
    });
  }

  /** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
  function luminance({ red, green, blue }) {
    const [r, g, b] = [red, green, blue].map((part) => {
      const ratio = part / 255;
      return ratio <= 0.04045 ? ratio / 12.92 : ((ratio + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(one, other) {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }

  /** Visible texts whose contrast is below AA, and how many were looked at. */
  function contrastFailures() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const failures = new Set();
    let looked = 0;
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (node.data.trim() === "" || element === null || !element.checkVisibility()) continue;
      if (element.closest(":disabled, script, noscript, option") !== null) continue;
      looked += 1;
      const style = getComputedStyle(element);
      const back = backgroundOf(element);
      const ratio = contrast(over(parse(style.color), back), back);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5))
        failures.add(`${ratio.toFixed(2)} ${element.className} "${node.data.trim()}"`);
    }
    return { looked, failures: [...failures] };
  }

  /** Elements that stick out of the page, without those inside a box that scrolls. */
  function stickOut() {
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll("body *")]
      .filter((element) => {
        if (element.closest(".scroll, nav ul, .visually-hidden, .skip, svg, .uplot") !== null) return false;
        const box = element.getBoundingClientRect();
        return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
      })
      .map((element) => `${element.tagName} ${element.id} ${element.className}`);
  }

  /** Controls without a name, tables without a caption, ids that are there twice, pictures without words. */
  function accessibilityProblems() {
    const problems = [];
    const visible = (selector) =>
      [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    for (const control of visible("button, a, select, input, [tabindex='0']")) {
      const labelled = (control.getAttribute("aria-labelledby") ?? "")
        .split(" ")
        .map((id) => document.getElementById(id));
      const name = [
        control.getAttribute("aria-label"),
        ...labelled.map((one) => one?.textContent),
        ...[...(control.labels ?? [])].map((one) => one.textContent),
        control.matches("button, a") ? control.textContent : "",
      ].join("");
      if (name.trim() === "") problems.push(`no name: ${control.outerHTML.slice(0, 80)}`);
    }
    for (const table of document.querySelectorAll("table")) {
      if ((table.caption?.textContent ?? "") === "") problems.push("a table without a caption");
      for (const cell of table.querySelectorAll("th:not([scope])"))
        problems.push(`no scope: ${cell.textContent}`);
    }
    for (const picture of visible("svg, [role='img']")) {
      if ((picture.getAttribute("aria-label") ?? "") === "") problems.push("a picture without words");
    }
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`twice: ${id}`);
    for (const named of document.querySelectorAll(
      "[aria-describedby], [aria-labelledby], [aria-controls], label[for]",
    )) {
      for (const attribute of ["aria-describedby", "aria-labelledby", "aria-controls", "for"]) {
        const id = named.getAttribute(attribute);
        if (id !== null && document.getElementById(id) === null)
          problems.push(`${attribute} leads nowhere: ${id}`);
      }
    }
    const levels = visible("h1, h2, h3").map(({ tagName }) => Number(tagName.slice(1)));
    if (levels[0] !== 1) problems.push("the first heading is not the first level");
    for (const landmark of ["header", "nav", "main", "footer"])
      if (document.querySelector(`body > ${landmark}, body > header > ${landmark}`) === null)
        problems.push(`no ${landmark}`);
    return problems;
  }

  globalThis.pageChecks = { seen, contrastFailures, stickOut, accessibilityProblems };
})();
