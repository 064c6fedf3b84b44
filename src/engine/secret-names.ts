/**
 * True when a key, a header or a parameter is named like a secret: `password`, `x-api-key`, `clientSecret`,
 * `connect.sid`. Names that only look alike stay readable: `max_tokens`, `author`, `compass`, `shipping`.
 */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_');
  return SECRET_WORD.test(words) || SECRET_PART.test(words.replaceAll('_', ''));
}

/** True for the headers whose value runs to the end of the line, whatever stands in it. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name);
}

/** Short names count as whole words only: `pin` is one, `shipping` is none. */
const SECRET_WORD =
  /(?:^|_)(?:pass|pwd|pw|auth|sig|otp|totp|mfa|pin|cvv|cvc|ssn|sid|jwt|csrf|xsrf|bearer)\d*(?:_|$)|(?:^|_)session(?:_(?:id|key))?$/;

/** Long names count wherever they stand, as in `dbPassword2` or `XAmzSecurityToken`. */
const SECRET_PART =
  /passw(?:or)?d|passphrase|passcode|secret|token(?!s?$|type|count|limit|s(?:used|left|per|remaining)|iz)|(?<!max|total|prompt|completion|input|output|cached)token$|signature|credential|authorization|cookie|sess(?:ion)?(?:id|key)|connectionstring|(?:api|access|private|account|shared|signing|encryption|subscription|functions|license|master|auth|ssh|storage|service|client)key/;

const SECRET_HEADER = /(?:^|[._])(?:(?:set-)?cookie2?|(?:proxy-)?authorization|x-api-key)$/i;
