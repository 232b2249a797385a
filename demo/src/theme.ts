// Light or dark: the system's wish until the person chooses; the choice is remembered.
import { setIcon, setLabel } from './dom.ts';
import { preferences } from './storage.ts';

type Theme = 'light' | 'dark';

export function startTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const buttons = document.querySelectorAll<HTMLButtonElement>('[data-theme-toggle]');
  const remembered = preferences.recall('theme');
  let chosen: Theme | undefined = remembered === 'light' || remembered === 'dark' ? remembered : undefined;

  const current = (): Theme => chosen ?? (system.matches ? 'dark' : 'light');
  const show = (): void => {
    if (chosen) document.documentElement.dataset.theme = chosen;
    const next = current() === 'dark' ? 'light' : 'dark';
    for (const button of buttons) {
      setIcon(button, next === 'dark' ? 'moon' : 'sun');
      setLabel(button, `Switch to ${next} colours`);
    }
  };
  const toggle = (): void => {
    chosen = current() === 'dark' ? 'light' : 'dark';
    preferences.remember('theme', chosen);
    show();
  };

  for (const button of buttons) button.addEventListener('click', toggle);
  system.addEventListener('change', show);
  show();
}
