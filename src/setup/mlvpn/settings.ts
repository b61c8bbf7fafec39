/**
 * Options of a file of mlvpn by section, as mlvpn looks them up: of several with one name the first
 * counts, and numbers are read by atoi(3).
 *
 * @module
 */

import { GENERAL, type MlvpnFile, type Option } from "./file.ts";

/** Sections that begin like this hold filters, every other one but `[general]` is a link. */
const FILTERS = "filters";

/** The options of one file. */
export class Settings {
  /** Names of the links in the order of the file. */
  readonly links: readonly string[];
  /** The filters in their order: the key is a link's name. */
  readonly filters: readonly Option[];
  /** The first option of each name, by section in the order of the file. */
  readonly #sections: ReadonlyMap<string, ReadonlyMap<string, Option>>;

  constructor({ options }: MlvpnFile) {
    const sections = new Map<string, Map<string, Option>>();
    for (const option of options) {
      const own = sections.get(option.section) ?? new Map<string, Option>();
      sections.set(option.section, own);
      if (!own.has(option.key)) own.set(option.key, option);
    }
    this.#sections = sections;
    const isFilter = (section: string): boolean => section.startsWith(FILTERS);
    this.links = [...sections.keys()].filter((name) => name !== GENERAL && !isFilter(name));
    this.filters = options.filter(({ section }) => isFilter(section));
  }

  /** Whether it is of a server: any other word means a client. A client names the other end. */
  get isServer(): boolean {
    const mode = this.get(GENERAL, "mode");
    if (mode !== undefined) return mode === "server";
    const { links } = this;
    return links.length > 0 && links.every((link) => this.get(link, "remotehost") === undefined);
  }

  /** The host that every link sends to, if they agree. */
  get commonServer(): string | undefined {
    const hosts = new Set(this.links.map((link) => this.get(link, "remotehost")));
    return hosts.size === 1 ? [...hosts][0] : undefined;
  }

  /** The first option of each name in a section. */
  of(section: string): Iterable<Option> {
    return this.#sections.get(section)?.values() ?? [];
  }

  /** The value of an option. */
  get(section: string, key: string): string | undefined {
    return this.#sections.get(section)?.get(key)?.value;
  }

  /** The value of an option as a number. */
  number(section: string, key: string): number | undefined {
    const value = this.get(section, key);
    return value === undefined ? undefined : atoi(value);
  }

  /** What a link has of an option that `[general]` gives to the links behind it. */
  inherited(link: string, key: string): number | undefined {
    const own = this.number(link, key);
    if (own !== undefined || this.#isBefore(link)) return own;
    return this.number(GENERAL, key);
  }

  /** Whether a link stands before `[general]`. */
  #isBefore(link: string): boolean {
    const [first] = this.#sections.get(link)?.values() ?? [];
    const [general] = this.#sections.get(GENERAL)?.values() ?? [];
    return first !== undefined && general !== undefined && first.line < general.line;
  }

  /** Why mlvpn would not start with this file; undefined when it would. */
  whyRefused(): string | undefined {
    if (this.get(GENERAL, "mode") === undefined) return "[general] has no mode";
    if (this.get(GENERAL, "password") === undefined) return "[general] has no password";
    const needed = this.isServer ? ["bindport"] : ["remotehost", "remoteport"];
    for (const link of this.links) {
      const missing = needed.find((key) => this.get(link, key) === undefined);
      if (missing !== undefined) return `[${link}] has no ${missing}`;
    }
    return undefined;
  }
}

/** Reads a number as atoi(3) does, and as mlvpn keeps it: 32 bits without sign. */
function atoi(text: string): number {
  const digits = /^[\t\n\v\f\r ]*([+-]?\d{1,15})/.exec(text)?.[1];
  return Number(digits ?? 0) >>> 0;
}
