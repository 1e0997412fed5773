/** Where the system keeps secrets of its users. Both throw where there is none, or it is locked. */
export interface Keychain {
  get(): Promise<string | undefined>;
  set(text: string): Promise<void>;
}
/** One whose secret can be taken away again. */
export interface RemovableEntry extends Keychain {
  remove(): Promise<void>;
}

/** One entry in macOS's keychain, Windows' credential manager, or libsecret. */
export function createKeychain(name = 'vault-key'): RemovableEntry {
  const entry = { service: 'cortex-gateway', name };
  return {
    get: async () => (await Bun.secrets.get(entry)) ?? undefined,
    set: (text) => Bun.secrets.set({ ...entry, value: text }),
    async remove() {
      await Bun.secrets.delete(entry);
    },
  };
}
