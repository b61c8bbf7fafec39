/**
 * Files that service managers read, as in examples/.
 *
 * @module
 */

/** Examples that the program installs. */
export type ServiceFile = "systemd/aggvpn@.service" | "openbsd/rc.d/aggvpn";

/** Returns the text of a file: the build puts them into `AGGVPN_SERVICE_FILES`. */
export function serviceFile(name: ServiceFile): string {
  const { AGGVPN_SERVICE_FILES } = globalThis as {
    AGGVPN_SERVICE_FILES?: Readonly<Record<string, string>>;
  };
  return AGGVPN_SERVICE_FILES?.[name] ??
    Deno.readTextFileSync(new URL(`../../../examples/${name}`, import.meta.url));
}
