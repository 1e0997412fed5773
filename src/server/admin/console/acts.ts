import { html } from '#kernel/html.ts';
import type { JsonObject } from '#kernel/json.ts';
import { stringAt } from '#kernel/json.ts';
import type { OperationRefusal } from '../../operation.ts';
import type { AdminDoor } from '../admin-door.ts';
import type { ConsolePage, Place, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { peoplePage } from './grants-page.ts';
import { seeOther } from './page-response.ts';
import { recordPage } from './record-page.ts';
import { confirmPage, type Revoking, revokedPage, revokePage } from './revoke-page.ts';
import { visible } from './shown.ts';

type Form = ReadonlyMap<string, string>;

/** Does what a form of this session asks for, as the operation of the same meaning, with its role and its record. */
export type Acts = (
  address: string,
  form: Form,
  viewer: Viewer,
) => Promise<ConsolePage | Response | undefined>;

export function createActs(source: ConsoleSource, door: AdminDoor): Acts {
  async function poll(viewer: Viewer) {
    const done = await door.ask('POST /poll', {}, viewer.session.operator);
    return done.ok ? seeOther(viewer.base) : refusedPage('', done.error, viewer);
  }

  async function approve(form: Form, viewer: Viewer) {
    const [name, backend, kind, print] = ['name', 'backend', 'kind', 'print'].map((key) => form.get(key));
    const input = { names: name === undefined ? [] : [name], backend, kind, print };
    const done = await door.ask('POST /integrity/approve', input, viewer.session.operator);
    return done.ok ? seeOther(`${viewer.base}quarantine`) : refusedPage('quarantine', done.error, viewer);
  }

  async function revoke(form: Form, viewer: Viewer) {
    const asked = revokingOf(form);
    const done = await door.ask('POST /revocations', inputOf(asked), viewer.session.operator);
    if (done.ok) return revokedPage(viewer, asked, done.value);
    return isOfRole(done.error)
      ? refusedPage('revoke', done.error, viewer)
      : revokePage(source, viewer, asked, done.error.message);
  }

  function check(form: Form, viewer: Viewer) {
    const asked = revokingOf(form);
    const isWhole = asked.kind === 'issuer';
    if (isWhole || asked.value !== '')
      return confirmPage(viewer, { ...asked, value: isWhole ? '' : asked.value });
    return revokePage(source, viewer, asked, `Which ${asked.kind}? Its value is missing.`);
  }

  async function people(viewer: Viewer) {
    const list = await door.ask('POST /vault/list', {}, viewer.session.operator);
    return list.ok ? peoplePage(list.value, viewer) : refusedPage('grants', list.error, viewer);
  }

  async function person(seq: string, form: Form, viewer: Viewer) {
    const input = { user: form.get('user'), reason: form.get('reason') };
    const told = await door.ask('POST /audit/reveal', input, viewer.session.operator);
    if (!told.ok) return refusedPage('audit', told.error, viewer);
    const issuer = stringAt(told.value, 'issuer') ?? '';
    return recordPage(source, viewer, seq, { issuer, subject: stringAt(told.value, 'subject') ?? '' });
  }

  return async (address, form, viewer) => {
    switch (address) {
      case 'poll':
        return poll(viewer);
      case 'quarantine/approve':
        return approve(form, viewer);
      case 'revoke/check':
        return check(form, viewer);
      case 'revoke':
        return revoke(form, viewer);
      case 'grants/reveal':
        return people(viewer);
      default: {
        const [, seq] = /^audit\/(\d{1,15})\/reveal$/.exec(address) ?? [];
        return seq === undefined ? undefined : person(seq, form, viewer);
      }
    }
  };
}

function revokingOf(form: Form): Revoking {
  const [kind = '', value = '', issuer = ''] = ['kind', 'value', 'issuer'].map((key) =>
    form.get(key)?.trim(),
  );
  return { kind, value, issuer };
}

function inputOf({ kind, value, issuer }: Revoking): JsonObject {
  return kind === 'pseudonym' ? { kind: 'subject', pseudonym: value } : { kind, value, issuer };
}

function isOfRole({ reason }: OperationRefusal): boolean {
  return reason === 'role_refused' || reason === 'not_recordable';
}

/** Nothing was done, in the words of the operation. */
function refusedPage(place: Place, refusal: OperationRefusal, viewer: Viewer): ConsolePage {
  const status = refusal.reason === 'role_refused' ? 403 : refusal.reason === 'not_recordable' ? 503 : 409;
  return {
    title: 'Nothing was done',
    place,
    status,
    parts: [
      {
        id: 'refused',
        content: () =>
          html`<p class="troubles" role="alert">${visible(refusal.message)}</p><p><a href="${viewer.base}${place}">Back</a></p>`,
      },
    ],
  };
}
