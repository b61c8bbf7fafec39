/**
 * Objects without their undefined properties.
 *
 * @module
 */

type OptionalKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** `T` with what may be undefined made optional instead. */
export type Compact<T> =
  & { [K in Exclude<keyof T, OptionalKeys<T>>]: T[K] }
  & { [K in OptionalKeys<T>]?: Exclude<T[K], undefined> };

/** Returns a copy of `object` without the properties that are undefined. */
export function compact<T extends object>(object: T): Compact<T> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Compact<T>;
}
