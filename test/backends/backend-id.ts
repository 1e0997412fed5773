import { type BackendId, isBackendId } from '#kernel/ids.ts';

export function backendId(value: string): BackendId {
  if (!isBackendId(value)) throw new Error(`not a backend id: ${value}`);
  return value;
}
