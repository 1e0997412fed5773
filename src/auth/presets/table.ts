import type { ClaimPreset } from '../options.ts';
import { auth0 } from './auth0.ts';
import { authentik } from './authentik.ts';
import { cognito } from './cognito.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { hydra } from './hydra.ts';
import { keycloak } from './keycloak.ts';
import { okta } from './okta.ts';
import type { Preset } from './preset.ts';
import { rfc9068 } from './rfc9068.ts';
import { zitadel } from './zitadel.ts';

/** Every preset, by the name it has in the configuration. */
export const presets: Readonly<Record<ClaimPreset, Preset>> = {
  generic,
  rfc9068,
  keycloak,
  auth0,
  okta,
  entra,
  zitadel,
  authentik,
  hydra,
  cognito,
};
