import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly page: 'runs' | 'new' | 'models' | 'trainings' | 'none' }
  | { readonly page: 'run' | 'training'; readonly id: string }
  | { readonly page: 'model'; readonly name: string };

/** The page of an address of this site. */
export function routeOf(path: string): Route {
  const [first = '', second, ...rest] = path
    .replace(/^\/+|\/+$/g, '')
    .split('/')
    .map(decoded);
  if (rest.length > 0) return { page: 'none' };
  if (second === undefined) {
    switch (first) {
      case '':
        return { page: 'runs' };
      case 'new':
        return { page: 'new' };
      case 'models':
        return { page: 'models' };
      case 'training':
        return { page: 'trainings' };
      default:
        return { page: 'none' };
    }
  }
  switch (first) {
    case 'runs':
      return { page: 'run', id: second };
    case 'models':
      return { page: 'model', name: second };
    case 'training':
      return { page: 'training', id: second };
    default:
      return { page: 'none' };
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const NAVIGATED = 'sluice:navigated';

export function navigate(path: string): void {
  history.pushState(null, '', path);
  window.scrollTo(0, 0);
  dispatchEvent(new Event(NAVIGATED));
}

/** Where the page is; links to its own addresses are followed without loading it anew. */
export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const moved = (): void => setPath(location.pathname);
    addEventListener('popstate', moved);
    addEventListener(NAVIGATED, moved);
    document.addEventListener('click', followLink);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener(NAVIGATED, moved);
      document.removeEventListener('click', followLink);
    };
  }, []);
  return path;
}

function followLink(event: MouseEvent): void {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!isPlain || event.defaultPrevented || link === null) return;
  if (link.origin !== location.origin || link.hasAttribute('download') || link.target !== '') return;
  if (link.hash !== '' || routeOf(link.pathname).page === 'none') return;
  event.preventDefault();
  if (link.pathname !== location.pathname) navigate(link.pathname);
}
