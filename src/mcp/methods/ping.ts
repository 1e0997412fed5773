import { complete, type MethodReply } from '../call.ts';

export function ping(): MethodReply {
  return complete('');
}
