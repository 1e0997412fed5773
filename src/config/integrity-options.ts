import { flag, oneOf } from './kinds.ts';
import { existing, option, optional } from './option.ts';
import { filePath, publicKey } from './special-kinds.ts';

/** The rows of `integrity`. */
export const integrityOptions = {
  integrityMode: option(
    'integrity.mode',
    oneOf(['off', 'warn', 'block']),
    'warn',
    'What happens when a backend changes what it lists: nothing; it is told; it is withheld until an operator approves it.',
    { example: 'warn', existing: [existing('CORTEX_TOOL_INTEGRITY_MODE')] },
  ),
  integrityBaseline: optional('integrity.baseline', filePath, 'The file of the accepted definitions.', {
    fallbackText: '`<state_dir>/baseline.jsonl`',
    existing: [existing('CORTEX_TOOL_BASELINE_FILE')],
  }),
  integrityPublicKey: optional(
    'integrity.public_key',
    publicKey,
    'The Ed25519 key that the baseline must be signed with, by an operator elsewhere (`cortex integrity sign`): the gateway can then approve nothing.',
    {
      fallbackText: 'the gateway signs for itself',
      existing: [existing('CORTEX_BASELINE_PUBLIC_KEY')],
    },
  ),
  integrityScan: option(
    'integrity.scan',
    flag,
    true,
    'Warns of text in definitions that people do not see, or that gives orders to the model. Nothing is withheld for it.',
  ),
};
