/** Configuration of HAProxy, the one public door. */

export interface HaproxySettings {
  /** host:port of the public door. */
  readonly listen: string
  readonly adminSocket: string
  readonly httpd: readonly string[]
  readonly webNodes: readonly string[]
  readonly sandbox?: string
  readonly bodyLimitBytes: number
  /** Whom the process becomes when it is started by root. */
  readonly user?: string
  readonly group?: string
}

/** The whole of haproxy.cfg. */
export function haproxyConfig(s: HaproxySettings): string {
  const web = s.webNodes.map((node, index) => `  server web-${String(index + 1)} ${node}`).join('\n')
  return `# Written at every start; changes are lost.
global
  nbthread 2
  fd-hard-limit 20000
  log stdout format raw daemon notice
  stats socket ${s.adminSocket} mode 600 level admin
  hard-stop-after 10s
${s.user === undefined ? '' : `  user ${s.user}\n  group ${s.group ?? s.user}\n`}
defaults
  mode http
  log global
  # Failures only, and without the query, which may hold tokens.
  option dontlog-normal
  log-format "%ci [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %ts %HM %HP"
  timeout connect 1s
  timeout client 75s
  timeout server 75s
  timeout http-request 15s
  timeout http-keep-alive 30s
  timeout queue 5s
  # Live events must not wait for a packet to fill.
  option http-no-delay
  http-reuse safe
  option redispatch 1
  retries 3
  # A request that may have reached a node is repeated only if it is a GET (see the frontend).
  retry-on conn-failure empty-response
  default-server inter 250ms fastinter 250ms downinter 500ms fall 2 rise 1 pool-purge-delay 5s

frontend public
  bind ${s.listen}
  http-request disable-l7-retry unless METH_GET
  http-request deny deny_status 413 if !{ path_beg /webhooks/ } { req.hdr_val(content-length) gt ${String(s.bodyLimitBytes)} }
  # What a client says about itself here is not believed.
  http-request del-header Forwarded
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  use_backend live if { path -m str /api/v1/live } { nbsrv(live) gt 0 }
  use_backend webhooks if { path_beg /webhooks/ } { nbsrv(webhooks) gt 0 }
  use_backend any if { path -m str /api/v1/live } or { path_beg /webhooks/ }
${s.sandbox === undefined ? '' : '  use_backend sandbox if { path -m str /sandbox } or { path_beg /sandbox/ }\n'}  default_backend httpd

# Events are streams that stay open for hours: they pass httpd by, which would hold a thread for each.
backend live
  balance leastconn
  timeout server 1h
  option httpchk GET /health/ready
  # A stream from a node that is gone or frozen ends, so that the browser asks another one for what it has missed.
  default-server check on-marked-down shutdown-sessions
${web}

backend webhooks
  balance roundrobin
  option httpchk GET /health/ready
  # Not cut off when a node is marked down: what was not handed over yet goes to another one, what a frozen node has may
  # still be answered.
  timeout server 20s
  default-server check
${web}

# No node is ready: one that lives may still take webhooks for the broker, or says itself why not.
backend any
  balance roundrobin
  option httpchk GET /health/live
  default-server check
${web}

backend httpd
  balance leastconn
  option httpchk GET /robots.txt
  default-server check
${s.httpd.map((address, index) => `  server httpd-${String(index + 1)} ${address}`).join('\n')}
${
  s.sandbox === undefined
    ? ''
    : `
backend sandbox
  timeout server 1h
  server sandbox-1 ${s.sandbox}
`
}`
}
