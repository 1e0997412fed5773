/** What a golden case runs in. */
export interface World extends AsyncDisposable {
  /** `<name>` in a command line, and in what is printed. */
  readonly names: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Prepares the folder where the command will run, and whatever runs beside it. */
export type MakeWorld = (cwd: string) => Promise<World>;
