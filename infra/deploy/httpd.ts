/** Configuration of one Apache httpd front end: the browser app as static files, everything else to the web nodes. */

export interface HttpdSettings {
  readonly name: string
  readonly listen: string
  /** A private folder for pid file and shared memory. */
  readonly runFolder: string
  /** The built browser app. */
  readonly site: string
  /** host:port of each web node. */
  readonly webNodes: readonly string[]
  readonly bodyLimitBytes: number
  readonly modules?: string
  /** Whom the workers become when httpd is started by root. */
  readonly user?: string
  readonly group?: string
}

const modules = [
  'mpm_event', 'authz_core', 'authz_host', 'mime', 'dir', 'headers', 'setenvif', 'filter', 'deflate', 'brotli', 'rewrite',
  'status', 'slotmem_shm', 'proxy', 'proxy_http', 'proxy_balancer', 'lbmethod_byrequests', 'proxy_hcheck',
] as const // prettier-ignore

const types: Readonly<Record<string, string>> = {
  'text/html': 'html',
  'text/css': 'css',
  'text/javascript': 'js mjs',
  'application/json': 'json map',
  'application/problem+json': 'problem',
  'application/manifest+json': 'webmanifest',
  'image/svg+xml': 'svg',
  'image/png': 'png',
  'image/jpeg': 'jpg jpeg',
  'image/webp': 'webp',
  'image/x-icon': 'ico',
  'font/woff2': 'woff2',
  'font/woff': 'woff',
  'application/wasm': 'wasm',
  'text/plain': 'txt',
}

const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  // The component library sets styles on elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** The whole of httpd.conf. */
export function httpdConfig(s: HttpdSettings): string {
  const folder = s.modules ?? '/usr/lib/apache2/modules'
  return `# Written at every start; changes are lost.
ServerRoot "${s.runFolder}"
ServerName ${s.name}
Listen ${s.listen}
PidFile "${s.runFolder}/httpd.pid"
DefaultRuntimeDir "${s.runFolder}"
Mutex "fcntl:${s.runFolder}"
ErrorLog /dev/stderr
LogLevel warn
${modules.map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`).join('\n')}
User ${s.user ?? 'nobody'}
Group ${s.group ?? 'nogroup'}
ServerTokens Prod
ServerSignature Off
TraceEnable Off
StartServers 1
ServerLimit 4
ThreadLimit 128
ThreadsPerChild 128
ThreadStackSize 262144
MaxRequestWorkers 512
MinSpareThreads 32
MaxSpareThreads 256
Timeout 60
KeepAlive On
# Longer than the load balancer keeps an idle connection, so that it never writes to one that is being closed.
KeepAliveTimeout 75
MaxKeepAliveRequests 0
LimitRequestBody ${String(s.bodyLimitBytes)}
AllowEncodedSlashes NoDecode
FileETag MTime Size
TypesConfig /dev/null
${Object.entries(types)
  .map(([type, endings]) => `AddType ${type} ${endings}`)
  .join('\n')}
AddDefaultCharset utf-8

# What has gone over the wire compressed keeps its ETag, so that "not modified" still works.
DeflateAlterETag NoChange
BrotliAlterETag NoChange
# What is asked for once and kept for a year is worth the closer packing.
AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/css text/javascript
AddOutputFilterByType DEFLATE text/html text/plain text/csv application/json application/problem+json application/manifest+json image/svg+xml

DocumentRoot "${s.site}"
<Directory "/">
  AllowOverride None
  Options None
  Require all denied
</Directory>
<Directory "${s.site}">
  Require all granted
  DirectoryIndex index.html
  FallbackResource /index.html
  Header set Cache-Control "no-cache"
  Header always set Content-Security-Policy "${contentSecurityPolicy}"
  Header always set X-Content-Type-Options "nosniff"
  Header always set Referrer-Policy "same-origin"
  Header always set X-Frame-Options "DENY"
  Header always set Cross-Origin-Opener-Policy "same-origin"
  Header always set Permissions-Policy "camera=(), microphone=(), geolocation=()"
</Directory>
# Names under assets/ carry a digest of the content: they never change, and what is missing there is missing.
<Directory "${s.site}/assets">
  FallbackResource disabled
  Header set Cache-Control "public, max-age=31536000, immutable"
</Directory>

# The load balancer has set X-Forwarded-*; httpd adds nothing and keeps Host.
ProxyRequests Off
ProxyPreserveHost On
ProxyAddHeaders Off
ProxyTimeout 60
ProxyHCExpr ok {%{REQUEST_STATUS} =~ /^2/}
<Proxy "balancer://web">
${s.webNodes.map((node, index) => `  BalancerMember "http://${node}" route=web${String(index + 1)} ${memberSettings} hcuri=/health/ready`).join('\n')}
  # The same nodes under another name, used only when none is ready: one that lives may still answer (the broker takes
  # webhooks while the database is away) or says itself why not.
${s.webNodes.map((node) => `  BalancerMember "http://${node.replace('127.0.0.1', 'localhost')}" status=+H ${memberSettings} hcuri=/health/live`).join('\n')}
  # A request goes to another node only if the first could not be reached at all: nothing is ever sent twice.
  ProxySet stickysession=PARLEY_ROUTE lbmethod=byrequests maxattempts=3
</Proxy>
Header add Set-Cookie "PARLEY_ROUTE=.%{BALANCER_WORKER_ROUTE}e; Path=/; HttpOnly; SameSite=Lax" env=BALANCER_ROUTE_CHANGED
${['/api', '/webhooks', '/health', '/metrics'].map((path) => `ProxyPass "${path}" "balancer://web${path}" nocanon`).join('\n')}
`
}

// ttl: shorter than the web nodes keep an idle connection. retry: how soon a member in error is tried again.
const memberSettings =
  'connectiontimeout=1 retry=1 ttl=30 keepalive=On hcmethod=GET hcexpr=ok hcinterval=1 hcpasses=1 hcfails=1'
