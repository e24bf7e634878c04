// Whether an IP address is one of the public internet: not private, loopback, link-local, shared
// (CGNAT), multicast, documentation, unspecified or reserved, and not one that carries such an
// IPv4 address inside (IPv4-mapped, NAT64, 6to4, Teredo).
//
// For IPv4 there is a list of the blocks that are not public, as IANA keeps it. For IPv6 it is the other
// way round: IANA has given out only 2000::/3 as global unicast, so all other addresses are refused.
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry

/** `[first address, prefix length]` */
const NOT_PUBLIC_IPV4 = [
  ["0.0.0.0", 8], // "this network", unspecified
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // shared by carriers (CGNAT)
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local: the metadata services of clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // IETF protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays, retired
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarking
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
] as const;

/** True for an address of the public internet in its usual spelling; false for any other text. */
export function isPublicAddress(text: string): boolean {
  return text.includes(":") ? isPublicIpv6(text) : isPublicIpv4(text);
}

function isPublicIpv4(text: string): boolean {
  // The URL parser reads every spelling and writes one. A text that it leaves unchanged has only one
  // reading (010.0.0.1 is 8.0.0.1 to some and 10.0.0.1 to others).
  if (!/^[0-9.]+$/.test(text) || URL.parse(`http://${text}/`)?.hostname !== text) return false;
  const address = numberOf(text);
  return !NOT_PUBLIC_IPV4.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(numberOf(first) / size);
  });
}

function isPublicIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text)) return false;
  const canonical = URL.parse(`http://[${text}]/`)?.hostname;
  if (canonical === undefined) return false;
  // Two groups decide. The parser shortens zeros to "::", so an absent group is a zero.
  const [first = 0, second = 0] = canonical
    .slice(1, -1)
    .split(":")
    .map((group) => Number.parseInt(group || "0", 16));
  if (first < 0x2000 || first > 0x3fff) return false;
  if (first === 0x2001 && second < 0x0200) return false; // protocol assignments, Teredo, ORCHID
  if (first === 0x2001 && second === 0x0db8) return false; // documentation
  if (first === 0x2002) return false; // 6to4: any IPv4 address inside
  if (first === 0x3fff && second < 0x1000) return false; // documentation
  return true;
}

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}
