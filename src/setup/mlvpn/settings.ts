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
  readonly options: readonly Option[];

  constructor({ options }: MlvpnFile) {
    this.options = options;
  }

  /** Whether it is of a server: any other word means a client. A client names the other end. */
  get isServer(): boolean {
    const mode = this.get(GENERAL, "mode");
    if (mode !== undefined) return mode === "server";
    const { links } = this;
    return links.length > 0 && links.every((link) => this.get(link, "remotehost") === undefined);
  }

  /** Names of the links in the order of the file. */
  get links(): readonly string[] {
    const names = this.options.map(({ section }) => section);
    return [...new Set(names)].filter((name) => name !== GENERAL && !name.startsWith(FILTERS));
  }

  /** The filters in their order: the key is a link's name. */
  get filters(): readonly Option[] {
    return this.options.filter(({ section }) => section.startsWith(FILTERS));
  }

  /** The first option of each name in a section. */
  of(section: string): readonly Option[] {
    const own = this.options.filter((option) => option.section === section);
    return own.filter(({ key }, i) => own.findIndex((other) => other.key === key) === i);
  }

  /** The value of an option. */
  get(section: string, key: string): string | undefined {
    return this.options.find((option) => option.section === section && option.key === key)?.value;
  }

  /** The value of an option as a number. */
  number(section: string, key: string): number | undefined {
    const value = this.get(section, key);
    return value === undefined ? undefined : atoi(value);
  }

  /** What a link has of an option that `[general]` gives to the links behind it. */
  inherited(link: string, key: string): number | undefined {
    const first = (section: string): number =>
      this.options.findIndex((option) => option.section === section);
    const general = first(GENERAL) < first(link) ? this.number(GENERAL, key) : undefined;
    return this.number(link, key) ?? general;
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
