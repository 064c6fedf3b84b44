import { describeError } from '../../src/engine/describe-error.ts';
import { redact } from '../../src/engine/redact.ts';

const S = 'S3cr3tV4lu3xyz';

describe('a secret is hidden', () => {
  it.each<[string, string]>([
    // Keys of forms
    [`user[password]=${S}`, 'user[password]=[redacted]'],
    [`user[password][confirm]=${S}&x=1`, 'user[password][confirm]=[redacted]&x=[redacted]'],
    [`a=1 user[0][pin]=${S}`, 'a=1 user[0][pin]=[redacted]'],
    [`password[]=${S}`, 'password[]=[redacted]'],
    [`secrets[db]=${S}`, 'secrets[db]=[redacted]'],
    [`$_POST["password"] = "${S}"`, '$_POST["password"] = "[redacted]"'],
    [`user%5Bpassword%5D=${S}`, 'user%5Bpassword%5D=[redacted]'],
    [`user%5bpin%5d%3D${S}`, 'user%5bpin%5d%3D[redacted]'],
    [`a%26pin%3D${S}`, 'a%26pin%3D[redacted]'],
    // JSON
    [`%22password%22%3A%22${S}%22`, '%22password%22%3A[redacted]'],
    [`%2522password%2522%253A%2522${S}`, '%2522password%2522%253A[redacted]'],
    [`{"password": {"value": "${S}"}, "user": "bob"}`, '{"password": [redacted], "user": "bob"}'],
    [`{"password":{"a":"}","b":["${S}"]},"user":"bob"}`, '{"password":[redacted],"user":"bob"}'],
    [`{\\"password\\":{\\"a\\":\\"}\\",\\"b\\":\\"${S}\\"},\\"u\\":1}`, '{\\"password\\":[redacted],\\"u\\":1}'],
    [`secrets: { db: "${S}" }, user: 'bob'`, "secrets: [redacted], user: 'bob'"],
    [`secrets: {\n  db: "it's ${S}"\n}\nnext`, 'secrets: [redacted]\nnext'],
    [`secrets: { db: it's, x: '${S}' }.`, 'secrets: [redacted].'],
    [`secrets: ['a]', '${S}'] and`, 'secrets: [redacted] and'],
    [`secrets: { db: "cut off, ${S}`, 'secrets: [redacted]'],
    [`secrets: { db: ${S}\n    at f (a.js:1:2)`, 'secrets: [redacted]\n    at f (a.js:1:2)'],
    [`password={a}${S} b`, 'password=[redacted] b'],
    [`password=[a]${S}, b`, 'password=[redacted], b'],
    // Markup
    [`<password>${S}</password>`, '<password>[redacted]</password>'],
    [`<a><Password >\n ${S}\n</Password><b>1</b></a>`, '<a><Password >[redacted]</Password><b>1</b></a>'],
    [`<w:Password Type="text">a ${S}</w:Password>`, '<w:Password Type="text">[redacted]</w:Password>'],
    [`<apiKey><![CDATA[${S}]]></apiKey>`, '<apiKey>[redacted]</apiKey>'],
    [`<secrets><a>${S}</a><b>${S}</b></secrets><c>1</c>`, '<secrets>[redacted]</secrets><c>1</c>'],
    [`<user>bob</user><password>cut off ${S}`, '<user>bob</user><password>[redacted]'],
    [
      `</token> <Token>-${S}</Token> and <token>-${S}\n</token> x`,
      '</token> <Token>[redacted]</Token> and <token>[redacted]</token> x',
    ],
    [`<token></token> <token>${S}</token>`, '<token></token> <token>[redacted]</token>'],
    [`<input name="password" value="${S}">`, '<input name="password" value="[redacted]">'],
    [`<input name='pin' type="text" value='a ${S}' />`, "<input name='pin' type=\"text\" value='[redacted]' />"],
    [`<add key="password" value="${S}"/>`, '<add key="password" value="[redacted]"/>'],
    [`name="user" value="bob" name="pin" value="${S}"`, 'name="user" value="bob" name="pin" value="[redacted]"'],
    [`{"name":"DB_PASSWORD","value":"${S}"}`, '{"name":"DB_PASSWORD","[redacted]":"[redacted]"}'],
    [`- name: DB_PASSWORD\n  value: ${S}\n`, '- name: DB_PASSWORD\n  value: [redacted]\n'],
    // Parts of a form
    [`name="password"\r\n\r\n${S}`, 'name="password"\r\n\r\n[redacted]'],
    [
      `form-data; name="user"\r\n\r\nbob\r\n--x\r\nform-data; name="password"\r\n\r\na\r\n ${S}\r\n--x--`,
      'form-data; name="user"\r\n\r\nbob\r\n--x\r\nform-data; name="password"\r\n\r\n[redacted]\r\n--x--',
    ],
    [
      `name="secret"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n${S}\r\n--x`,
      'name="secret"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n[redacted]\r\n--x',
    ],
    [`name=\\"pin\\"\\r\\n\\r\\n${S}\\r\\n--x`, 'name=\\"pin\\"\\r\\n\\r\\n[redacted]\\r\\n--x'],
    // Names with a space
    [`Invalid API key: ${S}`, 'Invalid API key: [redacted]'],
    [`Incorrect API key provided: ${S}. You can`, 'Incorrect API key provided: [redacted]. You can'],
    [`private key: ${S}`, 'private key: [redacted]'],
    [`{"Access Key": "${S}"}`, '{"Access Key": "[redacted]"}'],
    [`API key "${S}" is not valid`, 'API key "[redacted]" is not valid'],
    [`pass phrase = '${S}'`, "pass phrase = '[redacted]'"],
    // Any number of spaces
    [`password:${' '.repeat(300)}${S}`, `password:${' '.repeat(300)}[redacted]`],
    [`password${' '.repeat(300)}: ${S}`, `password${' '.repeat(300)}: [redacted]`],
    [
      `['password'${' '.repeat(20)},${' '.repeat(20)}'${S}']`,
      `['password'${' '.repeat(20)},${' '.repeat(20)}'[redacted]']`,
    ],
    [`secret == ${S}`, 'secret == [redacted]'],
    // A mark that is written twice
    [`password='it''s ${S}' and`, "password='[redacted]' and"],
    [`password="a""${S}" and`, 'password="[redacted]" and'],
    [`password=''${S}''' and`, "password='[redacted]' and"],
    [`\\'password\\': \\'it\\'\\'s ${S}\\' and`, "\\'password\\': \\'[redacted]\\' and"],
    // Tokens in quotation marks
    [`Bearer "${S}"`, 'Bearer "[redacted]"'],
    [`bearer  '${S}'`, "bearer  '[redacted]'"],
    [`{\\"a\\":\\"Bearer \\\\"${S}`, '{\\"a\\":\\"Bearer \\\\"[redacted]'],
    [`invalid token "${S}"`, 'invalid token "[redacted]"'],
    [`apikey '${S}' has expired`, "apikey '[redacted]' has expired"],
    ['token "123456" is wrong', 'token "[redacted]" is wrong'],
    // Commands
    [`Command failed: curl -u admin:${S} https://x`, 'Command failed: curl -u admin:[redacted] https://x'],
    [`curl -u "admin:a ${S}" https://x`, 'curl -u "admin:[redacted]" https://x'],
    [`curl --user admin:${S}`, 'curl --user admin:[redacted]'],
    [`curl -uadmin:${S} -v`, 'curl -uadmin:[redacted] -v'],
    [`curl --proxy-user=a:${S}`, 'curl --proxy-user=a:[redacted]'],
    [`[ '-u', 'admin:${S}' ]`, "[ '-u', 'admin:[redacted]' ]"],
    [`["-u","admin:${S}"]`, '["-u","admin:[redacted]"]'],
    [`curl -u 1234:${S}`, 'curl -u 1234:[redacted]'],
    [`mysql -p${S}`, 'mysql -p[redacted]'],
    [`mysqldump -u root -p'a ${S}' db`, "mysqldump -u root -p'[redacted]' db"],
    [`spawn mariadb [ '-uroot', '-p${S}' ]`, "spawn mariadb [ '-uroot', '-p[redacted]' ]"],
    [`sshpass -p ${S} ssh a`, 'sshpass -p [redacted] ssh a'],
    [`docker login -u a -p ${S} x`, 'docker login -u a -p [redacted] x'],
    [`redis-cli -h x -a ${S} ping`, 'redis-cli -h x -a [redacted] ping'],
  ])('%j', (text, expected) => {
    expect(redact(text)).toBe(expected);
    expect(redact(expected)).toBe(expected);
    const { message, stack } = describeError(new Error(text));
    expect(`${message} ${stack}`).not.toContain(S);
  });
});

describe('an ordinary message stays as it is', () => {
  it.each([
    // Parsers
    'Invalid token in JSON at position 5',
    'Unexpected token < in JSON at position 0',
    "Unexpected token 'undefined', expected identifier",
    'Unexpected token "a1b2c3d4e5"',
    'Invalid token "function" at line 3',
    'expected token "{" but got "}"',
    // Sentences about secrets
    'password must be at least 8 characters',
    'wrong password for user "jane"',
    'password authentication failed for user "app"',
    'API key missing',
    'API key is missing: set it in the settings',
    'Invalid API key: must be 32 characters',
    'Cannot read private key: ENOENT, no such file',
    'Failed to parse private key: unsupported format',
    'private key does not match the certificate',
    'Bearer "token" is required',
    'Bearer token expired',
    'the basic "rules" of it',
    // Keys and brackets
    'key: value',
    'key=[a, b] and {c: d}',
    'rows[0]=5 and rows[]=6',
    'jobs[auth]: started',
    '[auth]: started',
    '[session] error: no row',
    'items[0].name = x',
    'user%5Bname%5D=jane',
    '%22user%22%3A%22jane%22',
    "name=''",
    // Markup
    '<password> element is required',
    "Expected '<password>', found '<user>'",
    'element <password/> is empty',
    '<password></password>',
    '<user>jane</user>',
    'usage: cli <token> [options]',
    'at Object.<anonymous> (/srv/app.js:1:2)',
    'Promise<Token>, Map<string, Secret>',
    '<input name="user" value="jane">',
    '{"name":"region","value":"eu"}',
    'name="password" type="text" name="user" value="jane"',
    'name="user"\r\n\r\njane\r\n--x',
    'name="password"\r\n\r\n\r\n--x',
    'form-data; name="password" is required',
    // Commands
    'tar -pxf a.tar',
    'mkdir -p /srv/data',
    'ssh -p2222 host',
    'docker run -u 1000:1000 -p8080:80 -p 8081:81 x',
    'mysql -h db -P3306 -p app',
    'mysql --port=3306 app; tar -pxf a.tar',
    'ps -u jane -o pid',
    'git push -u origin main',
    'curl -u https://example.com/',
    'ls -a dir',
  ])('%j', text => {
    expect(redact(text)).toBe(text);
    expect(describeError(new Error(text)).message).toBe(text);
  });
});
