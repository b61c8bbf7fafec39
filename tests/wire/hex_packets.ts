/**
 * IP packets as hexadecimal digits, around a given payload.
 *
 * @module
 */

/** An IPv4 packet from 192.0.2.1 to 198.51.100.2. */
export const V4 = (
  rest: string,
  protocol: string,
  tos = "00",
  fragment = "4000",
  options = "",
): string => {
  const words = 5 + options.length / 8;
  const total = (words * 4 + rest.length / 2).toString(16).padStart(4, "0");
  return `4${words.toString(16)}${tos}${total}0001${fragment}40${protocol}0000` +
    `c0000201c6336402${options}${rest}`;
};
/** An IPv6 packet from 2001:db8::1 to 2001:db8::2. */
export const V6 = (rest: string, next: string, head = "60012345"): string =>
  `${head}${(rest.length / 2).toString(16).padStart(4, "0")}${next}40` +
  "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + rest;
