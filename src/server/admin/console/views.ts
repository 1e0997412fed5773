import type { AdminDoor } from '../admin-door.ts';
import { auditPage } from './audit-page.ts';
import { backendPage } from './backend-page.ts';
import { catalogPage } from './catalog-page.ts';
import type { ConsolePage, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { grantsPage } from './grants-page.ts';
import { overviewPage } from './overview-page.ts';
import { quarantineOffPage, quarantinePage } from './quarantine-page.ts';
import { recordPage } from './record-page.ts';
import { revokePage } from './revoke-page.ts';
import { toolPage } from './tool-page.ts';
import { createWireSizes } from './wire-sizes.ts';

/** What can be looked at. */
export interface Views {
  /** The page at an address below the session's own, with its query. Undefined: there is none. */
  at(address: string, viewer: Viewer): Promise<ConsolePage | undefined>;
}

export function createViews(source: ConsoleSource, door: AdminDoor): Views {
  const sizes = createWireSizes();

  async function quarantine(viewer: Viewer): Promise<ConsolePage> {
    const { operator } = viewer.session;
    const list = await door.ask('POST /integrity/list', {}, operator);
    if (!list.ok) return quarantineOffPage(list.error.message);
    const diff = await door.ask('POST /integrity/diff', {}, operator);
    return diff.ok ? quarantinePage(list.value, diff.value, viewer) : quarantineOffPage(diff.error.message);
  }

  return {
    async at(address, viewer) {
      const [path = '', search = ''] = address.split('?', 2);
      const query = new URLSearchParams(search);
      const [first, second, ...more] = path.split('/');
      if (more.length > 0) return undefined;
      if (second !== undefined) {
        if (first === 'backends') return backendPage(source, viewer, second);
        return first === 'audit' ? recordPage(source, viewer, second) : undefined;
      }
      switch (first) {
        case '':
          return overviewPage(source, viewer, query);
        case 'catalog':
          return catalogPage(source, sizes, viewer, query);
        case 'tool':
          return toolPage(source, viewer, query);
        case 'quarantine':
          return quarantine(viewer);
        case 'audit':
          return auditPage(source, viewer, query);
        case 'grants':
          return grantsPage(source, viewer, query);
        case 'revoke':
          return revokePage(source, viewer);
        default:
          return undefined;
      }
    },
  };
}
