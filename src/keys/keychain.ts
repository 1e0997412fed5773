/** Where the system keeps secrets of its users. Both throw where there is none, or it is locked. */
export interface Keychain {
  get(): Promise<string | undefined>;
  set(text: string): Promise<void>;
}

/** macOS's keychain, Windows' credential manager, or libsecret. */
export function createKeychain(): Keychain {
  const entry = { service: 'cortex-gateway', name: 'vault-key' };
  return {
    get: async () => (await Bun.secrets.get(entry)) ?? undefined,
    set: (text) => Bun.secrets.set({ ...entry, value: text }),
  };
}
