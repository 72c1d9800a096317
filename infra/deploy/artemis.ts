/** Configuration of Artemis: one AMQP acceptor, bounded memory, no cluster. */

export interface ArtemisSettings {
  readonly port: number
  readonly data: string
  readonly queues: readonly string[]
}

/** The whole of broker.xml. */
export function artemisBroker({ port, data, queues }: ArtemisSettings): string {
  const declared = [...queues, 'dead_letter', 'expiry']
  return `<?xml version="1.0"?>
<configuration xmlns="urn:activemq">
  <core xmlns="urn:activemq:core">
    <name>parley</name>
    <persistence-enabled>true</persistence-enabled>
    <journal-type>NIO</journal-type>
    <paging-directory>${data}/paging</paging-directory>
    <bindings-directory>${data}/bindings</bindings-directory>
    <journal-directory>${data}/journal</journal-directory>
    <large-messages-directory>${data}/large</large-messages-directory>
    <journal-datasync>true</journal-datasync>
    <journal-min-files>2</journal-min-files>
    <journal-pool-files>10</journal-pool-files>
    <journal-file-size>10M</journal-file-size>
    <!-- Senders wait for the disk; with a short buffer a single one does not wait long. -->
    <journal-buffer-timeout>200000</journal-buffer-timeout>
    <id-cache-size>20000</id-cache-size>
    <persist-id-cache>true</persist-id-cache>
    <jmx-management-enabled>false</jmx-management-enabled>
    <message-counter-enabled>false</message-counter-enabled>
    <critical-analyzer>true</critical-analyzer>
    <critical-analyzer-timeout>120000</critical-analyzer-timeout>
    <critical-analyzer-policy>HALT</critical-analyzer-policy>
    <max-disk-usage>98</max-disk-usage>
    <global-max-size>200M</global-max-size>
    <acceptors>
      <acceptor name="amqp">tcp://127.0.0.1:${String(port)}?protocols=AMQP;tcpSendBufferSize=1048576;tcpReceiveBufferSize=1048576;amqpCredits=1000;amqpLowCredits=300;amqpDuplicateDetection=true;amqpMinLargeMessageSize=1048576</acceptor>
    </acceptors>
    <security-settings>
      <security-setting match="#">
        ${['createAddress', 'createDurableQueue', 'createNonDurableQueue', 'deleteNonDurableQueue', 'deleteDurableQueue', 'deleteAddress', 'consume', 'browse', 'send'].map((type) => `<permission type="${type}" roles="parley"/>`).join('\n        ')}
      </security-setting>
    </security-settings>
    <address-settings>
      <address-setting match="#">
        <dead-letter-address>dead_letter</dead-letter-address>
        <expiry-address>expiry</expiry-address>
        <!-- The application counts attempts and keeps what it cannot process; the broker never takes anything away. -->
        <max-delivery-attempts>-1</max-delivery-attempts>
        <redelivery-delay>0</redelivery-delay>
        <!-- What does not fit into memory goes to the disk; nothing is refused or dropped. -->
        <address-full-policy>PAGE</address-full-policy>
        <page-size-bytes>10M</page-size-bytes>
        <default-address-routing-type>ANYCAST</default-address-routing-type>
        <default-queue-routing-type>ANYCAST</default-queue-routing-type>
        <auto-create-queues>true</auto-create-queues>
        <auto-create-addresses>true</auto-create-addresses>
        <auto-delete-queues>false</auto-delete-queues>
        <auto-delete-addresses>false</auto-delete-addresses>
      </address-setting>
    </address-settings>
    <addresses>
${declared.map((name) => `      <address name="${name}"><anycast><queue name="${name}"><durable>true</durable></queue></anycast></address>`).join('\n')}
    </addresses>
  </core>
</configuration>
`
}

/** The files of the login module, by name. */
export function artemisLogin(password: string): Readonly<Record<string, string>> {
  return {
    'login.config': `activemq {
  org.apache.activemq.artemis.spi.core.security.jaas.PropertiesLoginModule required
    reload=false
    org.apache.activemq.jaas.properties.user="artemis-users.properties"
    org.apache.activemq.jaas.properties.role="artemis-roles.properties";
};
`,
    'artemis-users.properties': `parley=${password}\n`,
    'artemis-roles.properties': 'parley=parley\n',
  }
}

/** Log lines to the console, which is the log file of the process. */
export const artemisLogging = `rootLogger = INFO, console
logger.audit.name = org.apache.activemq.audit
logger.audit.level = OFF
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5level [%logger] %msg%n
`
