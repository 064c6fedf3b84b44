/** What a secret looks like where it is usually met. */
export interface SecretShape {
  readonly name: string;
  /** The part that nobody may see. */
  readonly secret: string;
  /** The secret in a text of its kind. */
  readonly text: string;
}

/** The things that are to be redacted: credentials, parameters, five headers, keys by name, and four shapes. */
export const SECRET_SHAPES: readonly SecretShape[] = [
  shape('URL credentials', 'Xq9vT1zKw0Lm', secret => `https://svc:${secret}@api.example.com/v1/orders`),
  shape('query value', 'q9w8e7r6t5y4', secret => `https://api.example.com/v1/orders?page=2&email=${secret}`),
  shape('Authorization', 'dcd98b7102ddQ', secret => `Authorization: Digest username="svc", response="${secret}"`),
  shape('Cookie', '31d4d96e407a', secret => `Cookie: theme=dark; sid=${secret}`),
  shape('Set-Cookie', 'e3b0c44298fc', secret => `Set-Cookie: session=${secret}; HttpOnly`),
  shape('Proxy-Authorization', 'UHIweHlVc2VyOnB3', secret => `Proxy-Authorization: Basic ${secret}`),
  shape('X-Api-Key', 'a1b2c3d4e5f6a7', secret => `X-Api-Key: ${secret}`),
  shape('key by its name', 'Tr0ub4dor3zz', secret => `{"user":"jane","password":"${secret}","retries":3}`),
  shape(
    'JSON Web Token',
    'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.dozjgNryP4J3',
    secret => `the token ${secret} ended`,
  ),
  shape('AWS key', 'AKIAIOSFODNN7EXAMPLE', secret => `the key ${secret} is not active`),
  shape(
    'PEM block',
    'MIIEvQIBADANBgkqh',
    secret => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
  ),
  shape('card number', '4242 4242 4242 4242', secret => `card ${secret} exp 12 30 was declined`),
];

function shape(name: string, secret: string, text: (secret: string) => string): SecretShape {
  return { name, secret, text: text(secret) };
}

/** The header that a shape is the line of, and its value; other shapes go into one that is as secret. */
export function headerOf({ text }: SecretShape): readonly [name: string, value: string] {
  const [, name, value] = /^([A-Z][A-Za-z-]+): (.+)$/.exec(text) ?? [undefined, 'Authorization', `Bearer ${text}`];
  return [name as string, (value as string).replaceAll('\n', ' ')];
}

/**
 * What of a secret is in a text: itself, a good part of it, or either as it stands in a URL or in basic credentials.
 * Undefined where there is nothing.
 */
export function leakOf({ secret }: SecretShape, text: string): string | undefined {
  const forms = [secret, encodeURIComponent(secret), secret.replaceAll(' ', ''), btoa(`svc:${secret}`).slice(6)];
  for (const form of forms) {
    for (let at = 0; at + PART <= form.length; at++) {
      const found = text.indexOf(form.slice(at, at + PART));
      if (found >= 0) return text.slice(Math.max(0, found - 120), found + 80);
    }
  }
  return undefined;
}

/** How much of a secret may be seen at most, in characters, plus one. */
const PART = 8;
