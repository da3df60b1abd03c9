/** Shorter ones would be found in words. */
const shortest = 8;

/** Whether a text holds one of the secrets, also as JSON writes it. The secrets themselves cannot be asked back. */
export function ownSecretFinder(secrets: readonly string[]): (text: string) => boolean {
  // JSON writes a line break of a private key in two characters.
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= shortest)
      .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]),
  );
  return (text) => [...forms].some((secret) => text.includes(secret));
}
