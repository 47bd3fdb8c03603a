import type { Token, Tokens } from 'marked';
import { lexer } from 'marked';
import type { ComponentChildren, VNode } from 'preact';

/**
 * A card as elements. Nothing of it becomes HTML by itself: tags are shown as they are written, pictures as their words, and
 * links lead to http and https alone.
 */
export function Markdown({ text }: { readonly text: string }) {
  return <div class="markdown">{blocks(lexer(text))}</div>;
}

const blocks = (tokens: readonly Token[]): ComponentChildren =>
  tokens.map((token, index) => <Block key={index} token={token} />);

const spans = (tokens: readonly Token[] | undefined, text: string): ComponentChildren =>
  tokens === undefined ? text : tokens.map((token, index) => <Span key={index} token={token} />);

function Block({ token }: { readonly token: Token }): ComponentChildren {
  if (isA<Tokens.Heading>(token, 'heading')) return heading(token);
  if (isA<Tokens.Paragraph>(token, 'paragraph')) return <p>{spans(token.tokens, token.text)}</p>;
  if (isA<Tokens.Code>(token, 'code'))
    return (
      <pre tabIndex={0}>
        <code>{token.text}</code>
      </pre>
    );
  if (isA<Tokens.Blockquote>(token, 'blockquote')) return <blockquote>{blocks(token.tokens)}</blockquote>;
  if (isA<Tokens.List>(token, 'list')) {
    const items = token.items.map((item, index) => <li key={index}>{blocks(item.tokens)}</li>);
    return token.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
  }
  if (isA<Tokens.Table>(token, 'table')) return table(token);
  if (token.type === 'hr') return <hr />;
  if (token.type === 'space') return null;
  return <Span token={token} />;
}

/** One below those of the page. */
function heading({ depth, tokens, text }: Tokens.Heading): VNode {
  const content = spans(tokens, text);
  if (depth <= 1) return <h3>{content}</h3>;
  return depth === 2 ? <h4>{content}</h4> : <h5>{content}</h5>;
}

function table({ header, rows }: Tokens.Table): VNode {
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label="Table of the card">
      <table>
        {header.some(({ text }) => text !== '') && (
          <thead>
            <tr>
              {header.map(({ tokens, text }, index) =>
                text === '' ? <td key={index} /> : <th key={index}>{spans(tokens, text)}</th>,
              )}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map(({ tokens, text }, cell) => (
                <td key={cell}>{spans(tokens, text)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Span({ token }: { readonly token: Token }): ComponentChildren {
  if (isA<Tokens.Strong>(token, 'strong')) return <strong>{spans(token.tokens, token.text)}</strong>;
  if (isA<Tokens.Em>(token, 'em')) return <em>{spans(token.tokens, token.text)}</em>;
  if (isA<Tokens.Del>(token, 'del')) return <del>{spans(token.tokens, token.text)}</del>;
  if (isA<Tokens.Codespan>(token, 'codespan')) return <code>{token.text}</code>;
  if (token.type === 'br') return <br />;
  if (isA<Tokens.Link>(token, 'link')) {
    return /^https?:\/\//i.test(token.href) ? (
      <a href={token.href} rel="noreferrer noopener" target="_blank">
        {spans(token.tokens, token.text)}
      </a>
    ) : (
      <>{spans(token.tokens, token.text)}</>
    );
  }
  if (isA<Tokens.Image>(token, 'image')) return <>{token.text}</>;
  if (isA<Tokens.Text>(token, 'text')) return <>{spans(token.tokens, token.text)}</>;
  return <>{isA<Tokens.Escape>(token, 'escape') ? token.text : token.raw}</>;
}

const isA = <Kind extends Token>(token: Token, type: Kind['type']): token is Kind => token.type === type;
