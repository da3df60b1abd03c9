/** Something that opens the platform, kept in memory only. */
export interface Credentials {
  /** The one to present now. */
  current(): Promise<string>;
  /** A newer one than `refused`, which the platform did not take. */
  renewed(refused: string): Promise<string>;
}

/** How a credential is presented. */
export type PresentCredential = (value: string) => Readonly<Record<string, string>>;

export const asBearer: PresentCredential = (value) => ({ Authorization: `Bearer ${value}` });

export const asSessionCookie: PresentCredential = (value) => ({ Cookie: `inspire-session=${value}` });
