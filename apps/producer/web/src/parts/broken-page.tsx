import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { messageFrom } from '../api/request.js';
import { Page, Problem } from './page.js';

/** Says so in place of a page that cannot be drawn, which would else stay empty. */
export function OrBroken({ children }: { readonly children: ComponentChildren }) {
  const [error] = useErrorBoundary((thrown: unknown) => console.error(thrown));
  if (error === undefined) return <>{children}</>;
  return (
    <Page title="This page is broken">
      <Problem>It could not be drawn: {messageFrom(error)}</Problem>
      <p>
        <a href="/">To the runs</a>
      </p>
    </Page>
  );
}
