/**
 * When the sources are from: what is built of them says so, whenever that happens.
 *
 * @module
 */

const ROOT = new URL("../..", import.meta.url).pathname;

/** Returns the date of SOURCE_DATE_EPOCH, else of the commit, else now. Throws on a wrong one. */
export async function sourceDate(
  epoch: string | undefined = Deno.env.get("SOURCE_DATE_EPOCH"),
): Promise<Date> {
  if (epoch !== undefined && epoch !== "") {
    const seconds = Number(epoch);
    if (/^\d{1,11}$/.test(epoch)) return new Date(seconds * 1000);
    throw new Error(`SOURCE_DATE_EPOCH is "${epoch}": expected seconds since 1970`);
  }
  const committed = await commitSeconds();
  return committed === undefined ? new Date() : new Date(committed * 1000);
}

async function commitSeconds(): Promise<number | undefined> {
  try {
    const args = ["log", "-1", "--format=%ct"];
    const git = await new Deno.Command("git", { args, cwd: ROOT, stderr: "null" }).output();
    const text = new TextDecoder().decode(git.stdout).trim();
    return git.success && text !== "" ? Number(text) : undefined;
  } catch {
    return undefined; // no git
  }
}
