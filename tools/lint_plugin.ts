/**
 * House rules that `deno lint` cannot know: which layer may import which, and that the core has no
 * clock, no randomness and no I/O of its own. The table is that of docs/architecture.md.
 *
 * @module
 */

/** Layer -> layers it may import. Files directly under src/ are leaves open to all. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  offload: ["wire"],
  crypto: ["wire"],
  queue: [],
  links: ["wire"],
  session: ["wire", "crypto", "links"],
  scheduler: ["wire", "queue", "links", "session"],
  receiver: ["wire", "links", "session"],
  tunnel: ["wire", "crypto", "queue", "links", "session", "scheduler", "receiver"],
  config: ["wire"],
  setup: ["config"],
  platform: ["wire", "offload", "crypto"],
  io: ["tunnel", "platform"],
  control: ["tunnel"],
  http: ["tunnel", "control"],
  daemon: ["wire", "crypto", "tunnel", "config", "platform", "io", "control", "http"],
  doctor: ["config", "crypto", "tunnel", "platform", "io", "control", "daemon"],
  cli: ["config", "setup", "control", "platform", "daemon", "doctor", "tunnel"],
};

/** Layers that read packets and datagrams, whose layouts only src/wire knows. */
const USE_LAYOUTS: readonly string[] = [
  "offload",
  "crypto",
  "queue",
  "links",
  "session",
  "scheduler",
  "receiver",
  "tunnel",
  "io",
];
/** Names of what is read and written by those layouts. */
const TRAVELLING = /^(?:bytes|datagram|frame|header|init|message|packet|payload|response)s?$/;
/** What a kernel puts in front of packets is not part of the wire. */
const OWN_LAYOUTS = /\/offload\/vnet_header\.ts$/;

/** The only file of the product that opens C libraries. */
const LIBRARY_OPENER = "/src/platform/c_library.ts";

/** Layers without clock, randomness and I/O. */
export const PURE_LAYERS: readonly string[] = [
  "wire",
  "offload",
  "crypto",
  "queue",
  "links",
  "session",
  "scheduler",
  "receiver",
  "tunnel",
  "config",
  "setup",
];
/** Files of other layers that are held to the same. */
const PURE_FILES = /\/src\/daemon\/(?:plan|quota_ledger)\.ts$/;

const IMPURE: readonly string[] = [
  "Deno",
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "console",
  "fetch",
  "crypto",
];

function layerOf(path: string): string | undefined {
  return /(?:^|\/)src\/(\w+)\//.exec(path)?.[1];
}

/** Whether an expression is, by its name, memory that travels, and not a nonce or random numbers. */
function isTravelling(node: Deno.lint.Node | undefined): boolean {
  return node?.type === "Identifier" && TRAVELLING.test(node.name);
}

function isNumber(node: Deno.lint.Node | undefined): node is Deno.lint.NumberLiteral {
  return node?.type === "Literal" && typeof node.value === "number";
}

/** The layer of a file of the product; undefined for tests, tools and leaves. */
function productLayerOf(path: string): string | undefined {
  return /\/tests\/|_test\.ts$/.test(path) ? undefined : layerOf(path);
}

const plugin: Deno.lint.Plugin = {
  name: "aggvpn",
  rules: {
    "layers": {
      create(context): Deno.lint.LintVisitor {
        const from = productLayerOf(context.filename);
        if (!from) return {};
        const check = (node: Deno.lint.Node, source: string): void => {
          if (!source.startsWith(".")) return;
          const to = layerOf(new URL(source, `file://${context.filename}`).pathname);
          if (!to || to === from || MAY_IMPORT[from]?.includes(to)) return;
          context.report({
            node,
            message: `src/${from} must not import src/${to}`,
            hint: "See the layer table in docs/architecture.md.",
          });
        };
        return {
          ImportDeclaration: (node): void => check(node, node.source.value),
          ExportNamedDeclaration: (node): void => {
            if (node.source) check(node, node.source.value);
          },
          ExportAllDeclaration: (node): void => check(node, node.source.value),
          ImportExpression: (node): void => {
            const { source } = node;
            if (source.type === "Literal" && typeof source.value === "string") {
              check(node, source.value);
            }
          },
        };
      },
    },
    "kill-by-number": {
      create(context): Deno.lint.LintVisitor {
        // platform/memory is for tests, which run on a system that Deno knows.
        const isExempt = /\/platform\/memory\//.test(context.filename);
        if (isExempt || !productLayerOf(context.filename)) return {};
        return {
          "CallExpression[callee.property.name='kill']"(node: Deno.lint.CallExpression): void {
            const isNamed = node.arguments.some((argument) =>
              argument.type === "Literal" && /^SIG/.test(String(argument.value))
            );
            if (!isNamed) return;
            context.report({
              node,
              message: "Deno sends another signal than the one of this name on OpenBSD",
              hint: "Let the platform send it, by its number: see signals.ts of each.",
            });
          },
        };
      },
    },
    "pure-core": {
      create(context): Deno.lint.LintVisitor {
        const layer = productLayerOf(context.filename);
        if (!layer) return {};
        if (!PURE_LAYERS.includes(layer) && !PURE_FILES.test(context.filename)) return {};
        return {
          Identifier(node): void {
            if (!IMPURE.includes(node.name)) return;
            const parent = node.parent;
            if (
              parent.type === "MemberExpression" && parent.property === node && !parent.computed
            ) return;
            if (parent.type === "Property" && parent.key === node) return;
            context.report({
              node,
              message: `src/${layer} must not use \`${node.name}\``,
              hint: "Take `now`, bytes and randomness as arguments.",
            });
          },
          "MemberExpression[object.name='Math'][property.name='random']"(
            node: Deno.lint.Node,
          ): void {
            context.report({
              node,
              message: `src/${layer} must not use \`Math.random\``,
              hint: "Take a source of random bytes as an argument.",
            });
          },
        };
      },
    },
    "wire-layout": {
      create(context): Deno.lint.LintVisitor {
        const layer = productLayerOf(context.filename);
        if (!layer || !USE_LAYOUTS.includes(layer) || OWN_LAYOUTS.test(context.filename)) return {};
        const report = (node: Deno.lint.Node): void => {
          context.report({
            node,
            message: `src/${layer} must not know where fields of the wire are`,
            hint: "Read and write them by the functions and names of src/wire.",
          });
        };
        return {
          "BinaryExpression[operator='+'][left.name='at'][right.type='Literal']": report,
          "MemberExpression[computed=true]"(node: Deno.lint.MemberExpression): void {
            if (isTravelling(node.object) && isNumber(node.property)) report(node);
          },
          "CallExpression[callee.name=/^(read|write)U[0-9]+$/]"(
            node: Deno.lint.CallExpression,
          ): void {
            const [bytes, at] = node.arguments;
            if (isTravelling(bytes) && isNumber(at) && at.value !== 0) report(node);
          },
        };
      },
    },
    "c-library": {
      create(context): Deno.lint.LintVisitor {
        const { filename } = context;
        if (!productLayerOf(filename) || filename.endsWith(LIBRARY_OPENER)) return {};
        return {
          "MemberExpression[object.name='Deno'][property.name='dlopen']"(
            node: Deno.lint.Node,
          ): void {
            context.report({
              node,
              message: "Some CPUs kill what calls the functions of `Deno.dlopen`",
              hint: "Use `openLibrary` of src/platform/c_library.ts.",
            });
          },
        };
      },
    },
  },
};

export default plugin;
