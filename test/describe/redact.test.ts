import { runInNewContext } from 'node:vm';
import { createRedactor, hidesValueOf, redact, redactWithin, setRedactor } from '../../src/engine/redact.ts';
import { isBareWord } from '../../src/engine/redaction-names.ts';
import { isSecretHeader, isSecretName } from '../../src/engine/secret-names.ts';

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('redact', () => {
  it.each<[string, string]>([
    // Credentials
    ['connect postgres://app:p@ss/w:rd@db:5432/x', 'connect postgres://[redacted]@db:5432/x'],
    ['redis://:secret@cache', 'redis://[redacted]@cache'],
    ['https://token@github.com/a/b.git', 'https://[redacted]@github.com/a/b.git'],
    ['app:hunter2@tcp(db:3306)/x', 'app:[redacted]@tcp(db:3306)/x'],
    ['//u:p/w@h and me@example.org', '//[redacted]@h and me@example.org'],
    ['//u:p/w@h, //u:p/w@h', '//[redacted]@h, //[redacted]@h'],
    ['see //cdn:abc/x and me@example.org', 'see //cdn:abc/x and me@example.org'],
    ['me@example.org sees //cdn:abc/x', 'me@example.org sees //cdn:abc/x'],
    ['https://host:8080/@scope and //cdn/@scope/a', 'https://host:8080/@scope and //cdn/@scope/a'],
    ['git@github.com:org/repo.git', 'git@github.com:org/repo.git'],
    ['at C:\\repo\\node_modules\\@scope\\a.js:1:2', 'at C:\\repo\\node_modules\\@scope\\a.js:1:2'],
    ['at file:///x/.pnpm/a@1.0.0/b.js:10:5', 'at file:///x/.pnpm/a@1.0.0/b.js:10:5'],
    // Parameters
    ['/a?Page=2&limit=10&email=x#access_token=y', '/a?Page=2&limit=10&email=[redacted]#access_token=[redacted]'],
    ['/a?code=1234&flag', '/a?code=[redacted]&flag'],
    ['user=jane&pw=x&z=1', 'user=jane&pw=[redacted]&z=[redacted]'],
    ['"/a?x=1" and <b?y=2>', '"/a?x=[redacted]" and <b?y=[redacted]>'],
    ['what? a=b', 'what? a=b'],
    // Tokens with a scheme
    ['Bearer token expired', 'Bearer token expired'],
    ['basic auth failed, Basic authentication required.', 'basic auth failed, Basic authentication required.'],
    ['Bearer token.abc', 'Bearer [redacted]'],
    ['bearer  auth-1', 'bearer  [redacted]'],
    ['Negotiate YIIJvwYGKwYBBQUCoIIJszCC', 'Negotiate [redacted]'],
    ['token abcdefghijklmnop1', 'token [redacted]'],
    ['Unexpected token reallyLongIdentifierName', 'Unexpected token reallyLongIdentifierName'],
    ['https://hooks.slack.com/services/T00/B00/XXX', 'https://hooks.slack.com/services/[redacted]'],
    ['https://discord.com/api/webhooks/1/ab-c', 'https://discord.com/api/webhooks/[redacted]'],
    ['/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/x', '/bot[redacted]/x'],
    // Headers, to the end of the line
    ['Authorization: Digest username="u", response="r"\nnext', 'Authorization: [redacted]\nnext'],
    ['Cookie: a="1"; b=2\r\nHost: x', 'Cookie: [redacted]\r\nHost: x'],
    ['req.headers.authorization=Custom a b c', 'req.headers.authorization=[redacted]'],
    ["[ 'authorization', 'Custom a b' ]", "[ 'authorization', '[redacted]' ]"],
    // Keys
    ['{"password":"a\\"b,c","user":"bob"}', '{"password":"[redacted]","user":"bob"}'],
    ['{"password":"a\\\\","user":"bob"}', '{"password":"[redacted]","user":"bob"}'],
    ['{\\"password\\":\\"x\\",\\"user\\":\\"bob\\"}', '{\\"password\\":\\"[redacted]\\",\\"user\\":\\"bob\\"}'],
    ['{\\"password\\":\\"x\\\\\\"y\\",\\"u\\":1}', '{\\"password\\":\\"[redacted]\\",\\"u\\":1}'],
    ['{"token":"cut off, and all that', '{"token":"[redacted]'],
    ['token="', 'token="'],
    ['token=', 'token='],
    ['token: ", "', 'token: "[redacted]"'],
    ['password="ab"cd', 'password="[redacted]"cd'],
    ['password="" user="x"', 'password="[redacted]" user="x"'],
    ["password=''tis the one' x", "password='[redacted]' x"],
    ['password=\\"\\"tis the one\\" x', 'password=\\"[redacted]\\" x'],
    ['password=ab;cd', 'password=[redacted]'],
    ['Password=ab;Host=db', 'Password=[redacted];Host=db'],
    ['password=ab; please retry', 'password=[redacted]; please retry'],
    ["password: it's, again", 'password: [redacted], again'],
    ['(password=ab).', '(password=[redacted]).'],
    ['password: ...', 'password: ...'],
    ['password => x, apiKey := y', 'password => [redacted], apiKey := [redacted]'],
    ['password%3Dx%26y', 'password%3D[redacted]'],
    ['next=1 %3Dpassword=x', 'next=1 %3Dpassword=[redacted]'],
    ['(x).password = y', '(x).password = [redacted]'],
    ['tokens: 5, token: ["a b","c"] rest', 'tokens: 5, token: [redacted] rest'],
    ['token: ["a', 'token: [redacted]'],
    ['http://auth-service:8080/login', 'http://auth-service:8080/login'],
    ['http://u:p@session:8080/', 'http://[redacted]@session:8080/'],
    ['run --token abc --verbose', 'run --token [redacted] --verbose'],
    ['run -password "a b" x', 'run -password "[redacted]" x'],
    ["ALTER ROLE x PASSWORD 'a b'", "ALTER ROLE x PASSWORD '[redacted]'"],
    ["IDENTIFIED BY 'a'", "IDENTIFIED BY '[redacted]'"],
    ['Unexpected token \'<\', "<!DOCTYPE "', 'Unexpected token \'<\', "[redacted]"'],
    ['wrong password for user jane', 'wrong password for user jane'],
    // Tokens by their shape
    ['x eyJhbGciOiJub25lIn0.e30. y', 'x [redacted] y'],
    ['keyJsonParserForEverything.parse failed', 'keyJsonParserForEverything.parse failed'],
    ['(ASIAIOSFODNN7EXAMPLE)', '([redacted])'],
    ['xASIAIOSFODNN7EXAMPLE', 'xASIAIOSFODNN7EXAMPLE'],
    ['xoxb-17653672481-19874698323', '[redacted]'],
    ['sk-proj-abcdefghijklmnopqrst', '[redacted]'],
    ['task-management-and-more-words', 'task-management-and-more-words'],
    ['npm_config_registry_and_more', 'npm_config_registry_and_more'],
    // Cards
    ['4111111111111111', '[redacted]'],
    ['2024 4111-1111-1111-1111 123', '2024 [redacted] 123'],
    ['378282246310005.', '[redacted].'],
    ['4222222222222', '[redacted]'],
    ['4000000000090003', '[redacted]'],
    ['4111-1111-1111-1111-9', '[redacted]-9'],
    ['4111 1111 1111 1111 9', '[redacted] 9'],
    ['4111111111111112', '4111111111111112'],
    ['1700000000000', '1700000000000'],
    ['0.4111111111111111', '0.4111111111111111'],
    ['41111111111111111111111', '41111111111111111111111'],
    ['4012345678901234567896', '4012345678901234567896'],
    ['-----BEGIN CERTIFICATE REQUEST-----\na', '[redacted]'],
  ])('%j', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(expected)).toBe(expected);
  });

  it('hides values of any length', () => {
    expect(redact(`token=${'x'.repeat(1e5)} end`)).toBe('token=[redacted] end');
    expect(redact(`//u:${'x'.repeat(1e5)}@h`)).toBe('//[redacted]@h');
    expect(redact(`/?a=${'x'.repeat(1e5)}`)).toBe('/?a=[redacted]');
  });

  it('looks for a slash in passwords of 512 characters at most', () => {
    expect(redact(`//u:${'x/'.repeat(256)}@h`)).toBe('//[redacted]@h');
    expect(redact(`//u:x${'x/'.repeat(256)}@h`)).toContain('x/x');
  });
});

describe('the names of secrets', () => {
  it.each(
    'password Password passwd pwd dbPassword2 DB_PASS user.pw secret clientSecret token accessToken id_token tokenId apikey api_key X-Api-Key APIKey AWSSecretAccessKey AccountKey private-key signature X-Amz-Signature sig session sessionId session_id PHPSESSID connect.sid csrf_token otp pin cvv auth x-auth credentials cookie passphrase connectionString 26password'.split(
      ' ',
    ),
  )('%s is one', name => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(
    'author authority passed compass passenger shipping spinning ping opening design max_tokens maxTokens tokens token_type tokenCount prompt_tokens token_limit tokenizer key primaryKey monkey session_timeout_ms sessions side user id'.split(
      ' ',
    ),
  )('%s is none', name => {
    expect(isSecretName(name)).toBe(false);
  });

  it.each([
    ['Authorization', true],
    ['proxy-authorization', true],
    ['HTTP_COOKIE', true],
    ['headers.set-cookie', true],
    ['x-api-key', true],
    ['no-cookie', false],
    ['cookies', false],
  ])('%s: %p', (name, expected) => {
    expect(isSecretHeader(name)).toBe(expected);
  });
});

describe('createRedactor', () => {
  it('takes further parameters, names and patterns', () => {
    const mine = createRedactor({ allowQuery: ['Region'], secretNames: ['Badge'], extraPatterns: [/emp-\d+/, /é/g] });
    expect(mine('/?region=eu&x=1 badge=7 emp-12 emp-13 éé')).toBe(
      '/?region=eu&x=[redacted] badge=[redacted] [redacted] [redacted] [redacted][redacted]',
    );
    expect(redact('/?region=eu badge=7')).toBe('/?region=[redacted] badge=7');
  });

  it.each([
    [{ alowQuery: [] }, '"alowQuery" is not an option; did you mean "allowQuery"?'],
    [{ toString: 1 }, '"toString" is not an option'],
    [{ allowQuery: 'a' }, 'allowQuery is "a"; it must be a list of strings'],
    [{ secretNames: [1] }, 'secretNames is a list of 1; it must be a list of strings'],
    [{ secretNames: ['a', 1] }, 'secretNames is a list of 2; it must be a list of strings'],
    [{ extraPatterns: ['a'] }, 'extraPatterns is a list of 1; it must be a list of regular expressions'],
    [{ extraPatterns: /a/ }, 'extraPatterns is an object; it must be a list of regular expressions'],
    [{ extraPatterns: [{ [Symbol.toStringTag]: 'RegExp' }] }, 'it must be a list of regular expressions'],
    [{ extraPatterns: [revokedProxy()] }, 'it must be a list of regular expressions'],
    [{ extraPatterns: revokedProxy() }, 'it must be a list of regular expressions'],
    [revokedProxy(), 'redactor options are an object; they must be an object of options'],
    [null, 'redactor options are null; they must be an object of options'],
    [5, 'redactor options are 5; they must be an object of options'],
    [['a'], '"0" is not an option'],
    [[], 'redactor options are a list of 0; they must be an object of options'],
    [/a/, 'redactor options are an object; they must be an object of options'],
  ])('refuses what it cannot use: case %#', (options, message) => {
    expect(() => createRedactor(options as never)).toThrow(message);
    expect(() => createRedactor(options as never)).toThrow(TypeError);
  });

  it.each([/b\d/y, /b\d/gy, /B\d/iy, /b\d/])('hides what %p matches, wherever it stands', pattern => {
    const mine = createRedactor({ extraPatterns: [pattern] });
    expect(mine('a b1 b2')).toBe('a [redacted] [redacted]');
    expect(mine('a b1 b2')).toBe('a [redacted] [redacted]');
    expect(pattern.lastIndex).toBe(0);
  });

  it('takes patterns of another realm', () => {
    const pattern = runInNewContext('/b/') as RegExp;
    expect(createRedactor({ extraPatterns: [pattern] })('a b')).toBe('a [redacted]');
  });

  it('takes options that are undefined', () => {
    expect(createRedactor({ allowQuery: undefined } as never)('/?a=1')).toBe('/?a=[redacted]');
  });
});

describe('setRedactor', () => {
  afterEach(() => setRedactor(undefined));

  it('stands before every text until it is taken back', () => {
    setRedactor(text => text.toUpperCase());
    expect(redactWithin('password=a', 100)).toBe('PASSWORD=A');
    setRedactor(undefined);
    expect(redactWithin('password=a', 100)).toBe('password=[redacted]');
  });

  it.each([
    () => {
      throw new Error('x');
    },
    () => undefined as never,
    () => 5 as never,
  ])('hides all when the redactor fails', broken => {
    setRedactor(broken);
    expect(redactWithin('password=a', 100)).toBe('[redaction failed]');
  });

  it.each([null, 5, {}])('refuses %p', value => {
    expect(() => setRedactor(value as never)).toThrow('setRedactor: a redactor is a function');
  });
});

describe('hidesValueOf', () => {
  afterEach(() => setRedactor(undefined));

  it('asks the redactor that is set', () => {
    expect(hidesValueOf('password')).toBe(true);
    expect(hidesValueOf('badge')).toBe(false);
    expect(hidesValueOf('the badge')).toBe(false);
    setRedactor(createRedactor({ secretNames: ['Badge'] }));
    expect(hidesValueOf('badge')).toBe(true);
    expect(hidesValueOf('user')).toBe(false);
    setRedactor(createRedactor({ extraPatterns: [/badge: "x"/] }));
    expect(hidesValueOf('badge')).toBe(true);
    expect(hidesValueOf('user')).toBe(false);
  });

  it('asks one of the user by way of an example', () => {
    setRedactor(text => text.replace(/badge: "[^"]*"/, 'badge: ***'));
    expect(hidesValueOf('badge')).toBe(true);
    expect(hidesValueOf('the badge')).toBe(true);
    expect(hidesValueOf('user')).toBe(false);
    expect(hidesValueOf('password')).toBe(true);
  });

  it('holds everything for hidden where the redactor fails', () => {
    setRedactor(() => undefined as never);
    expect(hidesValueOf('user')).toBe(true);
  });
});

describe('isBareWord', () => {
  it.each(['a', 'a.b$c-1_D', 'x'.repeat(128)])('%s is one', text => {
    expect(isBareWord(text)).toBe(true);
  });

  it.each(['', ' ', 'a b', 'a=', '=', ':a', 'é', 'a\n', 'x'.repeat(129)])('%j is none', text => {
    expect(isBareWord(text)).toBe(false);
  });
});

describe('redactWithin', () => {
  it.each([
    ['', 10, ''],
    ['abcdefghij', 10, 'abcdefghij'],
    ['abcdefghijk', 10, 'abcdefghi…'],
    ['token=abcdefghijklmnop', 20, 'token=[redacted]'],
    [`token=${'x'.repeat(34)}`, 20, 'token=[redacted]'],
    [`token=${'x'.repeat(35)}`, 20, '…'],
    // The word at the cut goes: it may be half a secret.
    [`token=${'x'.repeat(150)} ${'hunter2'.repeat(10)} rest`, 100, 'token=[redacted]…'],
    [`token=${'x'.repeat(1000)} ${'y'.repeat(3000)}`, 1000, `token=[redacted] ${'y'.repeat(481)}…`],
    [`token=${'x'.repeat(193)} word rest`, 102, 'token=[redacted] word…'],
    ['one two three four five six', 10, 'one two t…'],
    ['pin=1 aaaaaaaa bbbbbbbbbbb', 12, 'pin=[redact…'],
    ['token=abcdefg 4111 1111 11', 12, 'token=[reda…'],
    [`token=${'x'.repeat(2000)} rest`, 600, 'token=[redacted]…'],
  ])('%j in %i', (text, limit, expected) => {
    expect(redactWithin(text, limit)).toBe(expected);
  });

  it('drops the front of a card number at the cut', () => {
    expect(redactWithin(`token=${'x'.repeat(176)} 4111 1111 1111 1111`, 100)).toBe('token=[redacted]…');
    expect(redactWithin('4111 1111 1111 1111', 5)).toBe('…');
  });

  it('drops no more digits at the cut than a card has', () => {
    expect(redactWithin(`token=${'x'.repeat(100)} ${'1 '.repeat(100)}`, 100)).toBe(
      `token=[redacted] ${'1 '.repeat(26)}1…`,
    );
  });

  it('leaves no half of a surrogate pair', () => {
    expect(redactWithin('😀'.repeat(10), 10).isWellFormed()).toBe(true);
    expect(redactWithin('\ud800', 10)).toBe('\ufffd');
  });
});
