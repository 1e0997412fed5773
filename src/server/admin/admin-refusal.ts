/**
 * Why the operators' listener does nothing: a name that is not its own (`host_refused`); a page of another origin
 * (`origin_refused`); a token in the URL (`token_in_query`); none, or none that counts (`unauthorized`); too many of
 * those from one network (`rate_limited`); a request of a browser without its CSRF token (`csrf_refused`); a role that may
 * not (`role_refused`); no such operation (`not_found`); the audit cannot write it down (`not_recordable`).
 */
export type AdminRefusalReason =
  | 'host_refused'
  | 'origin_refused'
  | 'token_in_query'
  | 'unauthorized'
  | 'rate_limited'
  | 'csrf_refused'
  | 'role_refused'
  | 'not_found'
  | 'not_recordable';

const answers: Readonly<Record<AdminRefusalReason, readonly [status: number, message: string]>> = {
  host_refused: [403, 'this host is not one of admin.hosts'],
  origin_refused: [403, 'a page of another origin must not ask'],
  token_in_query: [400, 'a token in the URL ends up in logs: send it as Authorization: Bearer'],
  unauthorized: [401, 'no token that counts was shown'],
  rate_limited: [429, 'too many wrong tokens from this network'],
  csrf_refused: [403, 'the request lacks the X-Cortex-Csrf of its session'],
  role_refused: [403, 'the role of this token does not cover it'],
  not_found: [404, 'there is no such operation'],
  not_recordable: [503, 'the audit cannot be written, and what cannot be recorded is not done'],
};

export function adminMessage(reason: AdminRefusalReason): string {
  return answers[reason][1];
}

export function adminRefusal(
  reason: AdminRefusalReason,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const [status, message] = answers[reason];
  return Response.json({ reason, message }, { status, headers });
}
