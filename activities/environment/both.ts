/** Both results, or the first failure, but not before both have ended: nothing goes on in a folder that is then removed. */
export async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
