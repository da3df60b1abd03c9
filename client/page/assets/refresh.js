// Renews what is shown without a jump, while somebody looks. Without scripts the page is the same, and is renewed by hand.
const everyMs = 10_000;
let etag = null;

async function renew() {
  if (document.hidden || document.querySelector('form') !== null) return;
  const headers = etag === null ? {} : { 'if-none-match': etag };
  const response = await fetch(location.href, { headers, redirect: 'manual', cache: 'no-store' });
  if (response.status === 304) return document.querySelector('main')?.removeAttribute('data-stale');
  if (!response.ok) throw new Error(`answered ${response.status}`);
  const next = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main');
  const shown = document.querySelector('main');
  if (next === null || shown === null) return;
  const isFirst = etag === null;
  etag = response.headers.get('etag');
  if (isFirst && next.innerHTML === shown.innerHTML) return;
  shown.replaceWith(document.adoptNode(next));
}

setInterval(() => {
  renew().catch((error) => {
    // The server is away, or the network: what is shown grows old until a later look finds it again.
    document
      .querySelector('main')
      ?.setAttribute('data-stale', error instanceof Error ? error.name : 'unknown');
  });
}, everyMs);
