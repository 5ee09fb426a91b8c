import type { LooseSpec } from './loose-spec.js'
import type { Complaint } from './problem.js'

/** A link has two interfaces, no host, and nothing that tells its ports apart. */
export function linkComplaints({ networks, machines }: LooseSpec): Complaint[] {
  return networks
    .filter(({ link }) => link)
    .flatMap(({ name, host }): Complaint[] => {
      const nics = machines.flatMap(({ interfaces }) => interfaces)
      const ends = nics.filter(({ network }) => name !== null && network?.value === name.value)
      const third = ends.slice(2).flatMap(({ network }) => network ?? [])
      return [
        ...(host === null ? [] : [complain(host.path, 'no host on a link', 'one')]),
        ...third.map(({ value, path }) =>
          complain(path, 'a link with at most two interfaces', `one more on ${value}`),
        ),
        ...ends.flatMap(({ apart }) =>
          apart.map(({ value, path }) => complain(path, `no ${value} on an interface of a link`, 'one')),
        ),
      ]
    })
}

function complain(path: Complaint['path'], expected: string, found: string): Complaint {
  return { code: 'link-shape', path, expected, found, hint: 'A link wires two interfaces to each other.' }
}
