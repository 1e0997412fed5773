import type { JsonObject } from '#kernel/json.ts';

/** What is written into a client: a name for the gateway there, and where it is. */
export interface Entry {
  readonly name: string;
  readonly url: string;
  /** The command that speaks stdio to a client that knows no HTTP, and takes the URL last. */
  readonly bridge: readonly string[];
}

/** For whoever has Node and nothing of ours. */
export const anyonesBridge = ['npx', '-y', 'mcp-remote'] as const;

export const platforms = ['linux', 'darwin', 'win32'] as const;
export type Platform = (typeof platforms)[number];

/** One program that people use a gateway with. Everything that is said about it anywhere comes from here. */
export interface Client {
  /** Also the name of its page below `docs/connect/`. */
  readonly id: string;
  readonly title: string;
  /** Whose machine calls the gateway: the vendor's needs a public https address. */
  readonly calledBy: 'this machine' | 'the vendor';
  /** The program by which it is known on a machine. */
  readonly program?: string;
  /** Command lines, each a list of words; none where it has no command for this. */
  commands(entry: Entry): readonly (readonly string[])[];
  /** A link that opens the client and asks it to add the gateway. */
  installLink?(entry: Entry): string;
  /** Where there is no file to write: what to click, in order. */
  steps?(entry: Entry): readonly string[];
  readonly file?: ClientFile;
  /** What is left to do after the command or the file. */
  readonly signIn: string;
  readonly source: string;
  /** The version that took the command and read the file, where it was tried. */
  readonly tried?: string;
  /** When that was read: `2026-11-27`, or `2026-11`. */
  readonly checked: string;
}

/** The file where a client keeps its servers. */
export interface ClientFile {
  readonly format: 'json' | 'toml' | 'yaml';
  /** The keys that lead to the servers. */
  readonly under: readonly string[];
  /** What stands at the entry's name below them. */
  members(entry: Entry): JsonObject;
  /** Other members that mean the same, as the client’s own command writes them. */
  alike?(entry: Entry): JsonObject;
  /** For a person, everywhere. `~` is the home folder, `%NAME%` a variable of Windows. */
  readonly user: Readonly<Record<Platform, string>>;
  /** For whoever works in a folder, below it. */
  readonly project?: string;
  /** A variable that moves the person's file: its value is the file itself, or the folder of `name`. */
  readonly movedBy?: { readonly variable: string; readonly name: string | undefined };
}
