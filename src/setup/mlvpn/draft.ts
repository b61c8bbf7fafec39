/**
 * A file of mlvpn on its way to a configuration.
 *
 * @module
 */

import type { TomlText } from "../toml_text.ts";
import type { Settings } from "./settings.ts";

/** A file on its way to a configuration. */
export interface Draft {
  readonly settings: Settings;
  readonly out: TomlText;
  /** What each link of mlvpn is called here. */
  readonly names: ReadonlyMap<string, string>;
}
