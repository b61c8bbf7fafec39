/**
 * Metrics as text: the exposition format of Prometheus 0.0.4, and OpenMetrics 1.0.0 for who asks.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://prometheus.io/docs/specs/om/open_metrics_spec/. What is told is in `metric_families.ts`.
 *
 * @module
 */

/** The two formats. */
export type Format = "prometheus" | "openmetrics";

/** What the answer's Content-Type says of each. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Names and values of labels, which may be any text. */
export type Labels = Readonly<Record<string, string>>;

/** One value of a family. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Metrics of one name. */
export interface Family {
  /** Without `_total` and `_info`, which the type adds. */
  readonly name: string;
  /** An info is a constant whose labels tell something. */
  readonly type: "counter" | "gauge" | "info";
  /** The base unit, with which the name of a gauge or counter ends. */
  readonly unit?: "seconds" | "bytes" | "ratio" | "bytes_per_second";
  /** One sentence. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Writes families, a chunk for each; a family without samples is left out. */
export function* exposition(families: Iterable<Family>, format: Format): Generator<string> {
  for (const family of families) {
    if (family.samples.length > 0) yield familyText(family, format);
  }
  if (format === "openmetrics") yield "# EOF\n";
}

function familyText(family: Family, format: Format): string {
  const { name, type, unit, help, samples } = family;
  const isOpen = format === "openmetrics";
  const sampleName = type === "gauge" ? name : `${name}_${type === "info" ? "info" : "total"}`;
  const familyName = isOpen ? name : sampleName;
  const typeName = type === "info" && !isOpen ? "gauge" : type;
  const lines = [
    `# HELP ${familyName} ${isOpen ? escapeLabel(help) : escapeHelp(help)}`,
    `# TYPE ${familyName} ${typeName}`,
    ...isOpen && unit !== undefined ? [`# UNIT ${familyName} ${unit}`] : [],
    ...samples.map(({ labels, value }) => `${sampleName}${labelText(labels)} ${value}`),
  ];
  return lines.join("\n") + "\n";
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** Chooses the format by the request's `Accept` (RFC 9110 section 12.5.1); the older when in doubt. */
export function negotiate(accept: string | undefined): Format {
  const quality = (wanted: RegExp): number => {
    let best = 0;
    for (const part of (accept ?? "").toLowerCase().split(",")) {
      const [type = "", ...parameters] = part.split(";").map((text) => text.trim());
      if (
        !wanted.test([type, ...parameters.filter((text) => text.startsWith("version"))].join(";"))
      ) {
        continue;
      }
      const q = parameters.find((text) => text.startsWith("q="));
      best = Math.max(best, q === undefined ? 1 : Number(q.slice(2)) || 0);
    }
    return best;
  };
  const open = quality(/^application\/openmetrics-text(?:;version=1\.0\.0)?$/);
  const plain = quality(/^text\/plain(?:;version=0\.0\.4)?$/);
  return open > 0 && open >= plain ? "openmetrics" : "prometheus";
}
