/**
 * All the script that a page of the help has, and it does without: the theme that was chosen, the key in the link of a
 * ticket, and the place of the reading in "On this page". One file, run before the first paint; the server makes the page (server/help).
 */
(() => {
  try {
    // As in theme.svelte.ts.
    const theme = localStorage.getItem('secondstep-theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; then it is the system's.
  }

  addEventListener('DOMContentLoaded', () => {
    // The key of a ticket comes in the fragment of its link, which is sent nowhere. It is put where one would type it, and
    // does not stay in the address; opening the ticket takes a press.
    const link = new URLSearchParams(location.hash.slice(1));
    for (const [from, to] of [
      ['token', 'key'],
      ['reference', 'reference'],
    ] as const) {
      const input = document.querySelector<HTMLInputElement>(`input[name=${to}]:not([type=hidden])`);
      const text = link.get(from);
      if (input && text !== null && link.has('token')) input.value = text;
    }
    if (link.has('token')) history.replaceState(null, '', location.pathname + location.search);

    const links = [...document.querySelectorAll<HTMLAnchorElement>('.contents a')];
    const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
    let asked = false;
    /** Where one reads is below the last heading that has come to the top; at the end of the page it is the last. */
    const follow = () => {
      asked = false;
      const line = 80;
      const end = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
      let now = end ? headings.length - 1 : -1;
      for (let n = 0; n < headings.length && !end; n++) {
        const heading = headings[n];
        if (heading && heading.getBoundingClientRect().top <= line) now = n;
      }
      for (const [n, link] of links.entries()) {
        if (n === now) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    };
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(follow);
    };
    if (links.length === 0) return;
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    follow();
  });
})();
