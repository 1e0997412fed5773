/**
 * Why a text that an agent reads may say more than a person sees, or talk to the model behind the person's back.
 * Hidden: `invisible` (zero-width and filler characters), `bidirectional` (shown in another order), `tag_characters` and
 * `variation_selectors` (messages in characters that nothing draws), `control` (ANSI escapes and the like),
 * `mixed_script` (look-alike letters), `hidden_markup` (what a page does not show), `padding` (pushed out of sight),
 * `too_long` (only the beginning was looked at). Orders: `override`, `secrecy`, `secrets`, `exfiltration`,
 * `tool_steering`, `role_marker`.
 */
export type FindingReason =
  | 'invisible'
  | 'bidirectional'
  | 'tag_characters'
  | 'variation_selectors'
  | 'control'
  | 'mixed_script'
  | 'hidden_markup'
  | 'padding'
  | 'too_long'
  | 'override'
  | 'secrecy'
  | 'secrets'
  | 'exfiltration'
  | 'tool_steering'
  | 'role_marker';

export interface Finding {
  readonly reason: FindingReason;
  /** The index in the text, in UTF-16 units; of an order, in the text as a model reads it. */
  readonly at: number;
  /** What was found, safe to print: hidden characters as `U+200B`, tag characters with the letters they stand for. */
  readonly shown: string;
}
