/** Recognises, by its first bytes, a peer that does not speak Kafka in plain text; undefined when it is none that we know. */
export function foreignPeer(received: Buffer): string | undefined {
  const text = received.subarray(0, 8).toString('latin1')
  // A TLS record: alert or handshake, then the protocol's major version 3.
  if ((received[0] === 0x15 || received[0] === 0x16) && received[1] === 0x03)
    return 'the peer speaks TLS: set the tls option, or use the port of its plain-text listener'
  if (text.startsWith('HTTP/')) return 'an HTTP server answers there: use the port of a Kafka listener'
  if (/^(GET|POST|PUT|HEAD) /.test(text)) return 'the peer speaks HTTP: this is the port of a Kafka listener'
  if (text.startsWith('SSH-')) return 'an SSH server answers there: use the port of a Kafka listener'
  if (text.startsWith('220 ')) return 'a mail or FTP server answers there: use the port of a Kafka listener'
  return undefined
}
