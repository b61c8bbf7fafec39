export function watchStatus(): Promise<number> {
  return Promise.resolve(0);
}
