export type Theme = 'system' | 'light' | 'dark';

const key = 'secondstep-theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
    return 'system';
  }
}

class ThemeChoice {
  current = $state<Theme>(stored());

  /** Puts the choice on <html>; without a choice the system's setting holds. */
  apply() {
    if (this.current === 'system') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.dataset.theme = this.current;
  }

  choose(theme: Theme) {
    this.current = theme;
    this.apply();
    try {
      if (theme === 'system') localStorage.removeItem(key);
      else localStorage.setItem(key, theme);
    } catch {
      // As above.
    }
  }
}

export const theme = new ThemeChoice();
