/** The bounds of everything that is asked of a provider. */
export const providerLimits = {
  requestTimeoutMs: 10_000,
  maxAnswerBytes: 256 * 1024,
  maxRedirects: 3,
  flowLifetimeMs: 10 * 60_000,
  maxBegunPerOwner: 20,
  maxOwnersCounted: 10_000,
  metadataAgeMs: 10 * 60_000,
  maxScopes: 100,
  maxScopeLength: 200,
  maxClientIdLength: 2_048,
  maxSecretLength: 4_096,
  maxTokenLength: 16 * 1024,
  maxAccountLength: 200,
  /** After the first link, how often a user is asked again for the same scope. */
  maxStepUps: 2,
  stepUpMemoryMs: 3_600_000,
} as const;
