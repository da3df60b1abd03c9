/** A function that replaces every secret, also as it looks inside JSON or a URL, by `***`. */
export function maskSecrets(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= 4)
      .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  );
  // Longest first: a secret may begin with another one.
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => {
    let masked = text;
    for (const form of ordered) masked = masked.replaceAll(form, '***');
    return masked;
  };
}
