/** Of the settings that are flags of commands too: the help need not load the table of all settings. */
export const flagDescriptions = {
  stateDir: 'The folder of everything the gateway writes.',
  listen: 'Where the gateway listens. Port 0 takes a free one.',
} as const;
