import { X509Certificate } from 'node:crypto';
import { parseKeySet } from '#auth/key-set.ts';
import { defaultAlgorithms } from '#auth/options.ts';
import { isJsonObject, isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { count } from '../output.ts';
import { type Finding, fail, type Known, ok, type StepDeps, unreachable, warn } from './finding.ts';

/** The keys that tokens are verified with: there, public, and good for an algorithm that is accepted. */
export async function keys(
  { issuer, metadata = {} }: Known,
  { probe, now }: Pick<StepDeps, 'probe' | 'now'>,
): Promise<Finding> {
  const url = issuer.jwksUri ?? stringAt(metadata, 'jwks_uri') ?? '';
  const answer = await probe('GET', url);
  if (!answer.ok)
    return unreachable(`${url} does not answer: ${answer.error}`, 'check the URL and the firewall');
  const { status, json } = answer.value;
  const parsed = parseKeySet(json);
  if (status !== 200 || json === undefined || !parsed.ok)
    return fail(
      `${url} was answered ${status}, ${parsed.ok ? 'no JSON' : parsed.error}`,
      'have the issuer publish a JWKS',
    );
  const members: readonly unknown[] = Array.isArray(json.keys) ? json.keys : [];
  const all = members.filter(isJsonObject);
  const secret = all.find((key) => key.d !== undefined || key.kty === 'oct');
  if (secret !== undefined)
    return fail(
      `${nameOf(secret)} at ${url} is a private or shared key: whoever reads it makes tokens`,
      'take it away at the issuer, make new keys, and have every token of the old one refused',
    );
  const algorithms = issuer.algorithms ?? defaultAlgorithms;
  const judged = await Promise.all(all.map((key) => judge(key, algorithms, now())));
  const usable = judged.filter(({ problem }) => problem === undefined);
  const details = judged.map(({ key, problem }) => `${nameOf(key)}: ${problem ?? 'good'}`);
  const expired = judged.filter(({ problem }) => problem?.startsWith('expired'));
  if (usable.length === 0 && expired.length > 0)
    return fail(
      `${count(expired.length, 'key')} of ${all.length} expired, and no other can be used`,
      'have the issuer make and publish a new key, and see why it did not by itself',
      { details },
    );
  if (usable.length === 0)
    return fail(
      all.length === 0 ? `${url} holds no key` : `none of the ${all.length} keys can be used`,
      `have the issuer sign with one of ${algorithms.join(', ')}, or name its algorithm in algorithms`,
      { details },
    );
  const learned = { keySet: json };
  const repeated = all.filter(({ kid }, at) => all.some((other, index) => index < at && other.kid === kid));
  const found = `${usable.length} of ${all.length} ${all.length === 1 ? 'key' : 'keys'} can be used`;
  if (expired.length > 0) return warn(found, 'have the issuer take expired keys away', { details, learned });
  if (repeated.length > 0)
    return warn(`${found}; ${nameOf(repeated[0] ?? {})} is there twice`, 'give each key a kid of its own', {
      details,
      learned,
    });
  return ok(found, { details, learned });
}

interface Judged {
  readonly key: JsonObject;
  readonly problem: string | undefined;
}

async function judge(key: JsonObject, algorithms: readonly string[], now: number): Promise<Judged> {
  if (key.use === 'enc') return { key, problem: 'for encryption' };
  const until = endOf(key);
  if (until !== undefined && until <= now) {
    return { key, problem: `expired ${new Date(until).toISOString().slice(0, 10)}` };
  }
  const alone = parseKeySet({ keys: [key] });
  if (!alone.ok) return { key, problem: alone.error };
  const kid = stringAt(key, 'kid');
  for (const alg of algorithms) {
    const found = await alone.value.candidates({ alg, kid });
    if (!found.ok && found.error === 'key_unusable') return { key, problem: 'broken' };
    const [made] = found.ok ? found.value : [];
    if (made === undefined) continue;
    return { key, problem: isTooShort(made) ? 'an RSA key below 2048 bits' : undefined };
  }
  return { key, problem: `for ${stringAt(key, 'alg') ?? stringAt(key, 'crv') ?? 'no algorithm'} alone` };
}

function isTooShort({ algorithm }: CryptoKey): boolean {
  return 'modulusLength' in algorithm && Number(algorithm.modulusLength) < 2_048;
}

/** When the key says it ends: `exp`, or the end of its certificate. */
function endOf(key: JsonObject): number | undefined {
  if (typeof key.exp === 'number') return key.exp * 1_000;
  const certificate = isStringArray(key.x5c) ? key.x5c[0] : undefined;
  if (certificate === undefined) return undefined;
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo);
  } catch {
    return undefined;
  }
}

function nameOf(key: JsonObject): string {
  const kid = stringAt(key, 'kid');
  return kid === undefined ? 'a key without kid' : `key ${kid.slice(0, 40)}`;
}
