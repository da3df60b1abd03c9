/** An answer that is not the wanted one, in GitHub's form. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: readonly object[] | undefined;

  constructor(status: number, message: string, errors?: readonly object[]) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.errors = errors;
  }

  get body(): object {
    return {
      message: this.message,
      ...(this.errors !== undefined && { errors: this.errors }),
      documentation_url: 'https://docs.github.com/rest',
      status: String(this.status),
    };
  }
}

export function notFound(): Refusal {
  return new Refusal(404, 'Not Found');
}

/** 422 with one entry: `{ resource, field, code }` or `{ resource, code: 'custom', message }`. */
export function invalid(error: object): Refusal {
  return new Refusal(422, 'Validation Failed', [error]);
}
