import { type Flow, type Party, parties } from "../../infra/kubernetes/flows";
import { namespaceNames } from "../../infra/kubernetes/namespaceNames";

/** In pixels. */
const size = { column: 165, left: 90, head: 52, row: 36, reason: 300, loop: 34 } as const;
const color = {
  ours: "#dbeafe",
  oursLine: "#1d4ed8",
  others: "#f3f4f6",
  othersLine: "#6b7280",
  text: "#111827",
};

/** `docs/network*.svg`: the parties of these flows side by side, and an arrow for each flow from who begins to who listens. */
export function networkPicture(flows: readonly Flow[]): string {
  const present = new Set(flows.flatMap(({ from, to }) => [from, to]));
  const names = (Object.keys(parties) as (keyof typeof parties)[]).filter((name) => present.has(name));
  const x = (name: keyof typeof parties) => size.left + names.indexOf(name) * size.column;
  const reasonAt = x(names.at(-1) ?? "client") + size.column / 2;
  const width = reasonAt + size.reason;
  const top = 12;
  const bottom = top + size.head + flows.length * size.row + 20;
  const y = (row: number) => top + size.head + (row + 1) * size.row - 6;

  const lines = names.map((name) => `<path class="life" d="M${x(name)} ${top + size.head}V${bottom}"/>`);
  const heads = names.map((name) => head(parties[name], x(name), top));
  const arrows = flows.map((flow, row) => arrow(flow, x(flow.from), x(flow.to), y(row)));
  const reasons = flows.map(({ why }, row) => text("why", reasonAt, y(row) + 4, why));
  const words = flows
    .map(({ from, to, why, ...flow }) => `${from} to ${to}, ${portText(flow)}: ${why}`)
    .join(". ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 34}" role="img">
<title>Who talks to whom</title>
<desc>${escaped(words)}</desc>
<style>
text { font: 13px system-ui, sans-serif; fill: ${color.text} }
.title { font-weight: 600 } .small { font-size: 11px } .middle { text-anchor: middle }
.port { font-size: 12px; text-anchor: middle; stroke: #fff; stroke-width: 4px; paint-order: stroke }
.life { stroke: #9ca3af; stroke-dasharray: 3 4 } .arrow { stroke: ${color.text}; stroke-width: 1.5; fill: none; marker-end: url(#tip) }
.ours { fill: ${color.ours}; stroke: ${color.oursLine} } .others { fill: ${color.others}; stroke: ${color.othersLine}; stroke-dasharray: 4 3 }
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" fill="${color.text}"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
${[...lines, ...heads, ...arrows, ...reasons].join("\n")}
${text("small", 12, bottom + 20, "Blue: ours, may do what an arrow shows and nothing else, in both directions. Grey: others, of whom we decide only what they may do to ours.")}
</svg>
`;
}

function head(party: Party, x: number, y: number): string {
  const ours = "namespace" in party;
  const width = size.column - 20;
  return [
    `<rect class="${ours ? "ours" : "others"}" x="${x - width / 2}" y="${y}" width="${width}" height="${size.head - 8}" rx="6"/>`,
    text("title middle", x, y + 18, party.title),
    text("small middle", x, y + 34, place(party)),
  ].join("");
}

function place(party: Party): string {
  if ("namespace" in party) return namespaceNames[party.namespace];
  if ("address" in party) return "by address";
  const [label] = Object.entries(party.namespaces);
  const [key, value] = label ?? ["", ""];
  return key === "kubernetes.io/metadata.name" ? value : key;
}

/** A workload that talks to its like has a loop. */
function arrow(flow: Flow, from: number, to: number, y: number): string {
  const port = portText(flow);
  if (from === to) {
    const right = from + size.loop;
    const path = `<path class="arrow" d="M${from} ${y - 10}H${right - 6}a6 6 0 0 1 6 6v4a6 6 0 0 1 -6 6H${from + 1}"/>`;
    return path + text("port", right + 28, y + 2, port);
  }
  const ahead = Math.sign(to - from);
  return `<path class="arrow" d="M${from} ${y}H${to - ahead}"/>${text("port", from + (ahead * size.column) / 2, y - 5, port)}`;
}

/** As people say it: a number alone is TCP. */
export function portText({ port, protocols }: Pick<Flow, "port" | "protocols">): string {
  const number = port === "given" ? "its port" : String(port);
  return protocols.length === 1 && protocols[0] === "TCP" ? number : `${number} ${protocols.join(", ")}`;
}

function text(className: string, x: number, y: number, content: string): string {
  return `<text class="${className}" x="${x}" y="${y}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
