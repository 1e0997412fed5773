import type { Finding, FindingReason } from './finding.ts';
import { plainReading } from './hidden-characters.ts';

/** What joins the parts of a phrase: never across the end of a sentence, and never far. */
const gap = (characters: number) => `[^.!?]{0,${characters}}?`;
const phrase = (...parts: readonly string[]) => new RegExp(`\\b${parts.join('')}`, 'gi');

const secretFile =
  '(?:~/\\.(?:ssh|cursor|aws|config|claude|kube|gnupg|netrc|npmrc)|\\bid_(?:rsa|ed25519)\\b|/etc/(?:passwd|shadow)|\\bmcp\\.json\\b|\\bclaude_desktop_config|(?:^|[ `/])\\.env\\b)';
const secretWord =
  '\\b(?:private|ssh|api|secret) keys?\\b|\\bpasswords?\\b|\\bcredentials\\b|\\b(?:access|refresh|bearer|session|auth) tokens?\\b|\\bcookies\\b|\\benvironment variables\\b';
const history =
  '\\b(?:conversation|chat|message|prompt) (?:history|log|transcript)|\\b(?:entire|whole|full|previous|complete) (?:conversation|chat|messages|prompts?|context)\\b|\\b(?:your|the) system prompt';
const give =
  '(?:send|forward|post|upload|transmit|exfiltrate|leak|e-?mail|include|append|attach|pass|copy|paste)';

/** Phrases that no honest description needs. */
const phrases: readonly (readonly [FindingReason, RegExp])[] = [
  [
    'override',
    phrase(
      '(?:ignore|disregard|forget|do not (?:follow|obey))\\b',
      gap(30),
      '\\b(?:previous|prior|above|earlier|preceding|system|all)\\b',
      gap(20),
      '\\b(?:instruction|rule|prompt|guideline|direction|constraint)',
    ),
  ],
  [
    'override',
    phrase(
      '(?:ignore|disregard|forget) (?:everything|anything|all) (?:above|before|you (?:were|have been))\\b',
    ),
  ],
  ['override', phrase('your (?:new|real|actual|true) (?:instructions?|task|goal|objective|role)\\b')],
  ['override', phrase('you are (?:now (?:an? |in |the |free)|no longer (?:bound|restricted|limited))')],
  [
    'secrecy',
    phrase(
      "(?:do not|don't|never|must not|without|avoid|refrain from)\\b",
      gap(15),
      "\\b(?:tell|telling|inform|informing|notify|notifying|alert|alerting|let|letting) (?:the |any )?(?:user|human|person|anyone|anybody)\\b(?!['’]s)",
    ),
  ],
  [
    'secrecy',
    phrase(
      "(?:do not|don't|never|must not|without|avoid)\\b",
      gap(15),
      '\\b(?:mention|mentioning|reveal|revealing|disclose|disclosing|show|showing|say|explain)\\b',
      gap(30),
      '\\bto (?:the |any )?(?:user|human|anyone|anybody)\\b',
    ),
  ],
  [
    'secrecy',
    phrase(
      'user (?:must|should|may|does|need|will) ?not (?:know|see|notice|find out|be (?:told|informed|aware))',
    ),
  ],
  ['secrecy', phrase(`(?:silently|secretly|covertly) (?:read|execute|run|call|${give})\\b`)],
  ['secrets', phrase(`(?:read|open|cat|load|fetch|get|${give})\\b`, gap(40), secretFile)],
  [
    'secrets',
    phrase(
      `(?:read|extract|find|${give})\\b`,
      gap(40),
      `(?:${secretWord})`,
      gap(40),
      '\\b(?:sidenote|note|comment|metadata|this tool|query string|url)\\b',
    ),
  ],
  ['exfiltration', phrase(`(?:${give}|repeat|reveal|print|output)\\b`, gap(40), `(?:${history})`)],
  [
    'exfiltration',
    phrase(
      '(?:bcc|cc|forward|redirect|send (?:a )?cop(?:y|ies) of)\\b',
      gap(20),
      '\\b(?:all|every|each|any)\\b',
      gap(30),
      '\\b(?:e-?mails?|messages?|payments?|invoices?|requests?)\\b',
      gap(20),
      '\\bto\\b',
    ),
  ],
  [
    'tool_steering',
    phrase(
      '(?:before|whenever|prior to|each time)\\b',
      gap(20),
      '\\b(?:using|calling|use|call|invoking|running|run)\\b',
      gap(12),
      '\\b(?:any|every|all|other|another)\\b',
      gap(12),
      '\\btools?\\b',
    ),
  ],
  [
    'tool_steering',
    phrase(
      '(?:always|must|only) (?:use|call|prefer|invoke)\\b',
      gap(12),
      '\\bthis tool\\b',
      gap(20),
      '\\b(?:instead of|rather than|over)\\b',
    ),
  ],
  [
    'tool_steering',
    phrase(
      "(?:never|do not|don't|must not) (?:use|call|trust|invoke) (?:any |the )?(?:other|another|different) (?:tool|server)",
    ),
  ],
  [
    'role_marker',
    /<\/?(?:important|system|instructions?|secret|admin|hidden|critical|system[-_ ](?:prompt|message|reminder|note))>|<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id)\|>|\[\/?INST\]|<<\/?SYS>>|#{2,4} ?(?:system|instructions?|assistant|human):/gi,
  ],
  ['role_marker', /(?<![\p{L}\p{N}] )\b(?:Human|Assistant): /gu],
];

const longestShown = 100;

/** Orders to the model, read as a model reads them: hidden characters inside the words change nothing. */
export function findOrders(text: string): readonly Finding[] {
  const reading = plainReading(text);
  return phrases.flatMap(([reason, pattern]) =>
    [...reading.matchAll(pattern)].map(({ 0: found, index: at }) => ({
      reason,
      at,
      shown: found.trim().slice(0, longestShown),
    })),
  );
}
