import { attributeOf, elementsOf, find, type XmlElement } from '../xml/xml.js'

/** Every file that is a disk of a domain, or lies below one. */
export function imageFiles(domain: XmlElement): string[] {
  const devices = find(domain, 'devices')
  return (devices === null ? [] : elementsOf(devices, 'disk')).flatMap((disk) =>
    [find(disk, 'source'), find(disk, 'backingStore', 'source')].flatMap(
      (source) => attributeOf(source, 'file') ?? [],
    ),
  )
}
