import { useState } from 'preact/hooks';
import { messageFrom, post } from '../api/request.js';
import type { Session } from '../api/views.js';
import { Page, Problem } from '../parts/page.js';

export function SignInPage({ onSignedIn }: { readonly onSignedIn: (session: Session) => void }) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string>();
  const signIn = async (): Promise<void> => {
    try {
      onSignedIn(await post<Session>('/v1/session', { key: key.trim() }));
    } catch (error) {
      setProblem(messageFrom(error));
    }
  };
  return (
    <Page title="Sign in">
      <form
        class="panel sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autocomplete="current-password"
          required
          value={key}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
        <p class="note">
          Whoever runs this producer makes keys with <code>sluice key</code>. The browser keeps a session of
          twelve hours, not the key.
        </p>
        {problem !== undefined && <Problem>{problem}</Problem>}
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </Page>
  );
}
