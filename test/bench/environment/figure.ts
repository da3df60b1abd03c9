export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target: string;
  readonly met: boolean;
}
