// Scores as rows of a table, each with a small curve of its values.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 80;
const HEIGHT = 36;

export const short = (value) => (value == null ? "–" : String(Number(value.toPrecision(4))));

function curve(points, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const [first, last] = [points[0], points.at(-1)];
  const low = Math.min(...points.map(([, y]) => y));
  const span = Math.max(...points.map(([, y]) => y)) - low || 1;
  const label = `${name} from ${short(first[1])} at epoch ${first[0]} to ${short(last[1])} at epoch ${last[0]}`;
  svg.setAttribute("aria-label", label);
  const title = document.createElementNS(SVG, "title");
  title.textContent = label;
  const path = document.createElementNS(SVG, "path");
  const position = ([x, y]) =>
    `${(WIDTH * (x - first[0])) / (last[0] - first[0])} ${HEIGHT * (1 - (y - low) / span)}`;
  path.setAttribute("d", `M${points.map(position).join("L")}`);
  svg.append(title, path);
  return svg;
}

export function tableRows(scores, best) {
  const names = Object.keys(scores.at(-1) ?? {}).filter((name) => name !== "epoch");
  const bestRow = scores.find((at) => at.epoch === best);
  return names.map((name) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), {
      scope: "row",
      textContent: name.replaceAll("_", " "),
    });
    const cells = [scores.at(-1)[name], bestRow?.[name]].map((value) =>
      Object.assign(document.createElement("td"), { textContent: short(value) }),
    );
    const chart = document.createElement("td");
    const points = scores.filter((at) => at[name] != null).map((at) => [at.epoch, at[name]]);
    if (points.length > 1) chart.append(curve(points, name));
    row.append(head, ...cells, chart);
    return row;
  });
}
