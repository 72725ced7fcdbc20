'use strict';
/* The page is complete without this; it opens what a point stands for and walks the points with the arrow keys. */
/* The fastest is drawn last, so that nothing covers it. */
const points = [...document.querySelectorAll('#scatter a')].reverse();
function open(id, focus) {
  const entry = document.getElementById(id)?.closest('details');
  if (!entry) return;
  for (let part = entry; part; part = part.parentElement?.closest('details')) part.open = true;
  entry.scrollIntoView({ block: 'nearest' });
  if (focus) entry.querySelector('summary').focus();
}
for (const [index, point] of points.entries()) {
  const id = point.getAttribute('href').slice(1);
  point.addEventListener('click', event => { event.preventDefault(); open(id, true); });
  point.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    points[(index + step + points.length) % points.length].focus();
  });
}
const said = document.getElementById('said');
for (const kind of ['mouseover', 'focusin']) {
  document.getElementById('scatter')?.addEventListener(kind, event => {
    const title = event.target.closest?.('a')?.querySelector('title');
    if (title && said) said.textContent = title.textContent;
  });
}
let closed = [];
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('details:not([open]):not(.long)')];
  for (const part of closed) part.open = true;
});
addEventListener('afterprint', () => { for (const part of closed) part.open = false; });
if (location.hash) open(location.hash.slice(1), false);
