import { useCallback, useEffect, useState } from 'preact/hooks';
import { get, remove, SIGNED_OUT } from './api/request.js';
import type { Session } from './api/views.js';
import { ThemeChoice } from './parts/theme-choice.js';
import { OrBroken } from './parts/broken-page.js';
import { Page } from './parts/page.js';
import { ModelPage } from './pages/model-page.js';
import { ModelsPage } from './pages/models-page.js';
import { NewRunPage } from './pages/new-run-page.js';
import { RunPage } from './pages/run-page.js';
import { RunsPage } from './pages/runs-page.js';
import { SignInPage } from './pages/sign-in-page.js';
import { TrainingPage } from './pages/training-page.js';
import { TrainingsPage } from './pages/trainings-page.js';
import type { Route } from './router.js';
import { routeOf, usePath } from './router.js';

const SESSION_PATH = '/v1/session';

export function App() {
  const path = usePath();
  const route = routeOf(path);
  const { session, isSignedOut, signedIn, signOut } = useSession();
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <header>
        <a class="brand" href="/">
          Sluice
        </a>
        {session !== undefined && <Navigation route={route} />}
        <div class="header-end">
          <ThemeChoice />
          {session !== undefined && session.id !== 'anyone' && (
            <button type="button" onClick={signOut}>
              Sign out {session.id}
            </button>
          )}
        </div>
      </header>
      {isSignedOut ? (
        <SignInPage onSignedIn={signedIn} />
      ) : session === undefined ? (
        <main id="main" aria-busy="true" />
      ) : (
        <OrBroken key={path}>
          <RoutedPage route={route} session={session} />
        </OrBroken>
      )}
    </>
  );
}

const links: readonly { readonly href: string; readonly name: string; readonly pages: readonly string[] }[] =
  [
    { href: '/', name: 'Runs', pages: ['runs', 'run'] },
    { href: '/new', name: 'New run', pages: ['new'] },
    { href: '/models', name: 'Models', pages: ['models', 'model'] },
    { href: '/training', name: 'Training', pages: ['trainings', 'training'] },
  ];

function Navigation({ route }: { readonly route: Route }) {
  return (
    <nav aria-label="Pages">
      {links.map(({ href, name, pages }) => (
        <a key={href} href={href} aria-current={pages.includes(route.page) ? 'page' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}

function RoutedPage({ route, session }: { readonly route: Route; readonly session: Session }) {
  switch (route.page) {
    case 'runs':
      return <RunsPage session={session} />;
    case 'new':
      return <NewRunPage session={session} />;
    case 'run':
      return <RunPage key={route.id} id={route.id} session={session} />;
    case 'models':
      return <ModelsPage />;
    case 'model':
      return <ModelPage key={route.name} name={route.name} session={session} />;
    case 'trainings':
      return <TrainingsPage />;
    case 'training':
      return <TrainingPage key={route.id} id={route.id} session={session} />;
    case 'none':
      return (
        <Page title="Not found">
          <p>
            There is no such page. <a href="/">To the runs</a>
          </p>
        </Page>
      );
  }
}

/** Who uses the page: found out at first, forgotten when the producer asks again. */
function useSession() {
  const [session, setSession] = useState<Session>();
  const [isSignedOut, setSignedOut] = useState(false);
  const signedIn = useCallback((of: Session) => {
    setSession(of);
    setSignedOut(false);
  }, []);
  useEffect(() => {
    const out = (): void => {
      setSession(undefined);
      setSignedOut(true);
    };
    addEventListener(SIGNED_OUT, out);
    // Refused, the event above says so; else it is tried again.
    const ask = (): void =>
      void get<Session>(SESSION_PATH).then(signedIn, (problem: unknown) => {
        if (!(problem instanceof Error && 'status' in problem && problem.status === 401))
          setTimeout(ask, 2000);
      });
    ask();
    return () => removeEventListener(SIGNED_OUT, out);
  }, [signedIn]);
  const signOut = useCallback(() => {
    void remove(SESSION_PATH).finally(() => dispatchEvent(new Event(SIGNED_OUT)));
  }, []);
  return { session, isSignedOut, signedIn, signOut };
}
