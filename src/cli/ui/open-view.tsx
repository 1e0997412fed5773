import { render } from 'ink';
import type { Preferences } from '#config/preferences.ts';
import type { Invocation } from '../command.ts';
import type { Screen } from '../terminal.ts';
import { asksForLight } from './background.ts';
import { type ThemeName, themeNames } from './theme.ts';
import type { View } from './view.ts';
import { ViewHost } from './view-host.tsx';

/** Draws a view on the other screen of the terminal until the person is done; back come the state they left and the old screen. */
export async function openView<State>(
  { output, terminal }: Invocation,
  screen: Screen,
  preferences: Preferences,
  view: View<State>,
): Promise<State> {
  const preferred = themeNames.find((name) => name === preferences.get('theme')) ?? 'auto';
  const themeName: ThemeName = output.mayPaint ? preferred : 'plain';
  const isLight = themeName !== 'plain' && (await asksForLight(screen, terminal.environment.COLORFGBG));
  let left = view.initial;
  const app = render(
    <ViewHost
      view={view}
      themeName={themeName}
      isLight={isLight}
      mayChangeTheme={output.mayPaint}
      onQuit={(state, theme) => {
        left = state;
        if (output.mayPaint && theme !== preferred) preferences.set('theme', theme);
      }}
    />,
    {
      stdin: screen.input,
      stdout: screen.output,
      alternateScreen: true,
      exitOnCtrlC: false,
      incrementalRendering: true,
      // Whether it may is known: in CI a terminal is one too.
      interactive: true,
      patchConsole: false,
    },
  );
  await app.waitUntilExit();
  return left;
}
